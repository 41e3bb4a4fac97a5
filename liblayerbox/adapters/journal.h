/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* systemd's journal, in its own protocol: systemd.io/JOURNAL_NATIVE_PROTOCOL. Without libsystemd, for one datagram. */
#pragma once

#define JOURNAL_SOCKET "/run/systemd/journal/socket"

/* The name is of capital letters, digits and _; the value is any text. The last has neither. */
struct journal_field {
	const char *name, *value;
};

/*
 * Sends one entry, and waits for nobody: 0, or a negative errno, -ENOENT where there is no journal. Fields with an
 * empty value are left out.
 */
int journal_send(const char *socket_path, const struct journal_field *fields);
