/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "journal.h"

#include <endian.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "../util/text.h"

/* NAME=VALUE or, where the value has several lines, NAME and how many bytes follow: so no value can add a field. */
static void add_field(struct buffer *entry, const struct journal_field *field)
{
	const uint64_t length = htole64(strlen(field->value));

	buffer_add_text(entry, field->name);
	if (strchr(field->value, '\n')) {
		buffer_add_text(entry, "\n");
		buffer_add(entry, &length, sizeof length);
	} else {
		buffer_add_text(entry, "=");
	}
	buffer_add_text(entry, field->value);
	buffer_add_text(entry, "\n");
}

int journal_send(const char *socket_path, const struct journal_field *fields)
{
	CLEANUP_BUFFER struct buffer entry = { 0 };
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	CLEANUP_FD int fd = -1;

	for (; fields->name; fields++)
		if (*fields->value)
			add_field(&entry, fields);
	if (entry.failed)
		return -ENOMEM;
	if (!text_copy(address.sun_path, sizeof address.sun_path, socket_path))
		return -ENAMETOOLONG;
	fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0 || sendto(fd, entry.data, entry.length, MSG_NOSIGNAL, (struct sockaddr *)&address,
			     sizeof address) < 0)
		return -errno;
	return 0;
}
