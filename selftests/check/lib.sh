# SPDX-License-Identifier: GPL-2.0
# shellcheck shell=bash disable=SC2034 # variables are for who sources this
# What the checks share: which files are ours, tools that may be missing,
# scratch space, and the scripts that come with Debian's kernel source. A check
# runs with the source tree as its working directory.

set -uo pipefail
check_dir=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source-path=SCRIPTDIR source=../debug/source.sh
. "$check_dir/../debug/source.sh"

# skip REASON: the check cannot run here.
skip()
{
	echo "$*"
	exit 4
}

# need TOOL PACKAGE
need()
{
	command -v "$1" >/dev/null || skip "$1 is missing: apt-get install $2"
}

# scratch: sets $tmp to a directory that goes when the check ends.
scratch()
{
	tmp=$(mktemp -d) || exit 1
	trap 'rm -rf "$tmp"' EXIT
}

# tree_files: our text files: what git knows or would add; where there is no
# git, all files outside build/.
tree_files()
{
	if [ "$(git rev-parse --show-toplevel 2>/dev/null)" = "$(pwd -P)" ]; then
		git ls-files --cached --others --exclude-standard
	else
		find . -path ./.git -prune -o -type f -print | sed 's,^\./,,'
	fi | grep -v -E '^build/|__pycache__/' | sort -u | tr '\n' '\0' |
		xargs -r -0 grep -lI . 2>/dev/null
}

c_files()
{
	tree_files | grep '\.[ch]$'
}

# scripts SUFFIX INTERPRETER: those with the suffix, and those without any
# whose first line names the interpreter.
scripts()
{
	local f

	tree_files | while read -r f; do
		case ${f##*/} in
		*".$1")	echo "$f" ;;
		*.*)	;;
		*)	head -n 1 "$f" | grep -q -E "^#!.*\\b$2" && echo "$f" ;;
		esac
	done
}

shell_scripts()
{
	scripts sh '(ba|da)?sh\b'
}

python_scripts()
{
	scripts py python
}

# unexcused: the lines of a tool's report, "FILE:LINE...", that no entry of
# the file excuses covers.
unexcused()
{
	awk '
	NR == FNR {
		if ($0 !~ /^#/ && NF == 2)
			excused[$1, $2]
		next
	}
	{
		for (e in excused) {
			split(e, part, SUBSEP)
			if (index($0, part[1]) == 1 &&
			    match($0, "(^|[^A-Za-z0-9_])" part[2] "($|[^A-Za-z0-9_-])"))
				next
		}
		print
	}' "$check_dir/excuses" -
}

generated()
{
	head -n 5 "$1" | grep -q -i 'auto-generated'
}

# kernel_scripts: sets $kscripts to checkpatch and coccinelle's scripts of
# linux-source-6.12, unpacked once.
kernel_scripts()
{
	local v

	[ -r /usr/src/linux-source-6.12.tar.xz ] ||
		skip "/usr/src/linux-source-6.12.tar.xz is missing: apt-get install linux-source-6.12"
	v=$(source_version 6.12)
	kscripts=$selfheal_cache/scripts-$v
	unpack_source 6.12 "$kscripts" \
		linux-source-6.12/scripts/{checkpatch.pl,spelling.txt,const_structs.checkpatch,coccinelle} ||
		exit 1
}
