/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* For helpers that unpack what is hostile. */
#pragma once

/*
 * From here on this process can write nowhere but in @path: everything else is read-only in a mount namespace of its
 * own. Who unpacks refuses what would lead out; this holds where it should be mistaken. Returns a descriptor of @path
 * as it is mounted there, or -1 with errno.
 */
int confine_writes_to(const char *path);
