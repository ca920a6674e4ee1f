# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # variables are for who sources this
# Debian's kernel source packages: where they are, which version is installed,
# and parts of them unpacked into the cache. Sourced.

selfheal_cache=${SELFHEAL_CACHE:-$HOME/.cache/selfheal}

die()
{
	printf '%s: %s\n' "${0##*/}" "$*" >&2
	exit 1
}

# source_tarball SERIES: Debian's source of that series; says what to install.
source_tarball()
{
	local tar=/usr/src/linux-source-$1.tar.xz

	[ -r "$tar" ] || die "$tar is missing: apt-get install linux-source-$1"
	echo "$tar"
}

# source_version SERIES: the version of the source package, for the cache.
source_version()
{
	local v

	# shellcheck disable=SC2016 # the format is dpkg-query's
	v=$(dpkg-query -W -f '${Version}' "linux-source-$1" 2>/dev/null) ||
		v=$(sha256sum "$(source_tarball "$1")" | cut -c1-12)
	echo "$v"
}

# unpack_source SERIES DIR [TAR OPTION|PATH...]: unpacks the tarball into DIR
# once, whoever comes first; a half unpacked DIR never shows.
unpack_source()
{
	local series=$1 dir=$2

	shift 2
	mkdir -p "${dir%/*}"
	(
		flock 9
		[ ! -d "$dir" ] || exit 0
		tar=$(source_tarball "$series") || exit 1
		rm -rf "$dir.new"
		mkdir "$dir.new"
		tar -x -f "$tar" -C "$dir.new" --strip-components=1 "$@" ||
			exit 1
		mv "$dir.new" "$dir"
	) 9>"$dir.lock"
}
