# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # variables are for who sources this
# The sanitizer kernels: their names, what each is built from, where they are
# kept. Sourced by build-kernel and run.

debug_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=source.sh
. "$debug_dir/source.sh"

debug_names="light heavy kcsan light-6.1"
cache=$selfheal_cache/kernels

# series NAME: the kernel series that the sanitizer kernel NAME is built from.
series()
{
	case $1 in
	*-6.1)	echo 6.1 ;;
	*)	echo 6.12 ;;
	esac
}

# fragments NAME: the files of options of NAME, in the order of their merge. A
# fragment x.config is followed by x-SERIES.config where there is one.
fragments()
{
	local list f v

	case $1 in
	light | light-6.1)	list="base kasan inject light" ;;
	heavy)			list="base kasan inject lockdep heavy" ;;
	kcsan)			list="base lockdep kcsan" ;;
	*)			return 1 ;;
	esac
	v=$(series "$1")
	for f in $list; do
		echo "$debug_dir/$f.config"
		if [ -e "$debug_dir/$f-$v.config" ]; then
			echo "$debug_dir/$f-$v.config"
		fi
	done
}
