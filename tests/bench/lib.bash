# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# How benchmarks measure and show: times in microseconds below $work, medians, ratios.

now() { date +%s%N; }

# measure LABEL COMMAND...: runs it and keeps its time in microseconds under LABEL.
measure() {
	local label=$1 begin end
	shift
	begin=$(now)
	"$@" > /dev/null 2>> "$work/errors" || { echo "bench: failed: $*" >&2; tail -3 "$work/errors" >&2; exit 1; }
	end=$(now)
	echo $(((end - begin) / 1000)) >> "$work/times.$label"
}

median() { sort -n "$work/times.$1" | awk '{ v[NR] = $1 } END { print v[int((NR + 1) / 2)] }'; }

# line WHAT COUNT LABEL FLOOR-LABEL: a row of the table
line() {
	local ours other
	ours=$(median "$3")
	other=$(median "$4")
	awk -v what="$1" -v n="$2" -v a="$ours" -v b="$other" 'BEGIN {
		printf "%-56s %3d  %9.2f ms  %9.2f ms  %6.3g\n", what, n, a / 1000, b / 1000, a / b }'
}
