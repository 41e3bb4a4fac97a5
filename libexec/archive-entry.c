/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "archive-entry.h"

#include <archive.h>
#include <archive_entry.h>

#include "util/text.h"

enum { XATTRS_MAX = 256, PLAIN_NAME_MAX = 100 };

struct kept_xattr {
	char *name;
	void *value;
	size_t size;
};

static bool is_known(const char *name)
{
	return text_after(name, "user.") || text_equal(name, "security.capability");
}

static bool has_unknown(struct archive_entry *entry)
{
	const void *value;
	const char *name;
	size_t size;

	archive_entry_xattr_reset(entry);
	while (archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK)
		if (!is_known(name))
			return true;
	return false;
}

/* libarchive can only forget all of them: keep copies of the known ones and give them back. */
void archive_entry_keep_known_xattrs(struct archive_entry *entry)
{
	struct kept_xattr kept[XATTRS_MAX];
	const void *value;
	const char *name;
	size_t size, count = 0;

	if (!has_unknown(entry))
		return;
	archive_entry_xattr_reset(entry);
	while (count < XATTRS_MAX && archive_entry_xattr_next(entry, &name, &value, &size) == ARCHIVE_OK) {
		struct kept_xattr copy = { .name = strdup(name), .value = malloc(size + 1), .size = size };

		if (!is_known(name) || !copy.name || !copy.value) {
			free(copy.name);
			free(copy.value);
			continue;
		}
		memcpy(copy.value, value, size);
		kept[count++] = copy;
	}
	archive_entry_xattr_clear(entry);
	for (size_t i = 0; i < count; i++) {
		archive_entry_xattr_add_entry(entry, kept[i].name, kept[i].value, kept[i].size);
		free(kept[i].name);
		free(kept[i].value);
	}
}

bool archive_entry_has_plain_name(struct archive_entry *entry)
{
	const char *name = archive_entry_pathname(entry);
	size_t length = 0;

	while (name[length] && !(name[length] & 0x80))
		length++;
	return !name[length] && length <= PLAIN_NAME_MAX;
}

int archive_sentence(struct archive *where, const char *what, const char *name, char *error, size_t error_size)
{
	const char *cause = where ? archive_error_string(where) : "out of memory";
	int number = where ? archive_errno(where) : ENOMEM;
	char shown[256];

	snprintf(shown, sizeof shown, "%.250s", name ? name : "an entry");
	snprintf(error, error_size, "%s %s: %.300s", what, text_printable(shown),
		 cause ? cause : "no reason was given");
	/* libarchive says "Write failed", and what the system said only as a number. */
	if (where && number > 0 && strerrordesc_np(number) && !strstr(error, strerrordesc_np(number)))
		snprintf(error + strlen(error), error_size - strlen(error), ": %s", strerrordesc_np(number));
	return number > 0 ? -number : -EIO;
}
