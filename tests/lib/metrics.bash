# SPDX-License-Identifier: LGPL-2.1-or-later
# shellcheck shell=bash
#
# Metrics as tests read them.

# The metrics of now, for value() and of().
scrape() {
	scraped=$BATS_TEST_TMPDIR/scraped
	layerbox metrics --measure --prometheus > "$scraped" 2> /dev/null
}

# value METRIC [LABELS]: its number, nothing where there is no such sample.
value() {
	local sample=$1
	[ $# -eq 1 ] || sample="$1{$2}"
	awk -v sample="$sample" 'index($0, sample " ") == 1 { print $NF }' "$scraped"
}

# of CONTAINER METRIC, without layerbox_container_.
of() {
	value "layerbox_container_$2" "name=\"$1\""
}

# grew BEFORE AFTER LEAST
grew() {
	awk -v before="$1" -v after="$2" -v least="$3" 'BEGIN { exit !(before != "" && after - before >= least) }'
}

# burn NAME: some tenths of a second of a processor.
burn() {
	layerbox exec "$1" -- sh -c 'i=0; while [ $i -lt 200000 ]; do i=$((i + 1)); done'
}
