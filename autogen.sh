#!/bin/sh
# SPDX-License-Identifier: LGPL-2.1-or-later
#
# autogen.sh [--if-needed] - makes ./configure and what belongs to it from a git checkout; with --if-needed only
# where something that they are made from is newer.
set -e
cd "$(dirname "$0")"
mkdir -p m4 build-aux
# One at a time: two builds of one checkout may begin together.
exec 8> build-aux/autogen.lock
flock 8
if [ "$1" = --if-needed ] && [ -e configure ] && [ -e Makefile.in ] &&
	[ -z "$(find autogen.sh configure.ac Makefile.am ./*/Makemodule.am ./*/*/Makemodule.am -newer Makefile.in)" ]; then
	exit 0
fi
autoreconf --install --force --warnings=all
touch Makefile.in
