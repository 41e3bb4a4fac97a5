/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The text of manifests, as manifest.h describes it. */
#include "manifest.h"

#include <inttypes.h>
#include <sys/stat.h>

#include "manifest-text.h"

#define FIRST_LINE "layerbox-manifest 1 "

enum { ENTRIES_MAX = 1 << 26 };

/* ---- writing ---- */

void manifest_add_escaped(struct buffer *text, const char *s, const char *others)
{
	const char *plain = s;

	for (; *s; s++) {
		unsigned char byte = (unsigned char)*s;

		if (byte > ' ' && byte != 0x7f && byte != '\\' && !strchr(others, byte))
			continue;
		buffer_add(text, plain, (size_t)(s - plain));
		buffer_format(text, "\\%03o", byte);
		plain = s + 1;
	}
	buffer_add(text, plain, (size_t)(s - plain));
}

static void add_line(struct buffer *text, const struct manifest_entry *entry)
{
	char digest[2 * DIGEST_SHA256_BYTES + 1];

	buffer_format(text, "%c %o %u:%u %s ", entry->type, entry->mode, entry->uid, entry->gid, entry->xattrs);
	if (entry->type == 'f') {
		digest_to_text(entry->sha256, DIGEST_SHA256_BYTES, digest);
		buffer_format(text, "%" PRIu64 " %s ", entry->size, digest);
	} else if (entry->type == 'l') {
		manifest_add_escaped(text, entry->target, "");
		buffer_add_text(text, " ");
	} else if (entry->type == 'c' || entry->type == 'b') {
		buffer_format(text, "%u:%u ", entry->major, entry->minor);
	}
	manifest_add_escaped(text, *entry->path ? entry->path : ".", "");
	buffer_add_text(text, "\n");
}

char *manifest_to_text(const struct manifest *manifest, size_t *ret_length)
{
	CLEANUP_BUFFER struct buffer text = { 0 };

	buffer_format(&text, FIRST_LINE "%zu\n", manifest->count);
	for (size_t i = 0; i < manifest->count; i++)
		add_line(&text, &manifest->entries[i]);
	*ret_length = text.length;
	return buffer_finish(&text);
}

/* ---- reading ---- */

/* Cuts the next field off *line, NULL where there is no further one or it is empty. */
static char *next_field(char **line)
{
	char *field = *line, *end = field ? strchr(field, ' ') : NULL;

	*line = end ? end + 1 : NULL;
	if (end)
		*end = '\0';
	return field && *field ? field : NULL;
}

/* Takes the escapes out, in place. What must be escaped stands nowhere as it is. */
static bool unescape(char *s)
{
	for (const char *at = s; *at; at++)
		if ((unsigned char)*at < ' ' || *at == 0x7f)
			return false;
	return text_unescape(s);
}

/* Two numbers with a colon between them. */
static bool read_pair(char *field, unsigned *ret_first, unsigned *ret_second)
{
	char *colon = field ? strchr(field, ':') : NULL;
	uint64_t first, second;

	if (!colon)
		return false;
	*colon = '\0';
	if (!text_to_number(field, 0, UINT32_MAX, &first) || !text_to_number(colon + 1, 0, UINT32_MAX, &second))
		return false;
	*ret_first = (unsigned)first;
	*ret_second = (unsigned)second;
	return true;
}

static bool read_mode(const char *field, mode_t *ret_mode)
{
	unsigned mode = 0;
	size_t n = field ? strlen(field) : 0;

	if (n < 1 || n > 4 || strspn(field, "01234567") != n)
		return false;
	for (; *field; field++)
		mode = mode * 8 + (unsigned)(*field - '0');
	*ret_mode = mode;
	return true;
}

static bool is_printable(const char *field)
{
	for (; *field; field++)
		if ((unsigned char)*field <= ' ' || *field == 0x7f)
			return false;
	return true;
}

/* "usr/bin": no component of it is empty, "." or "..", so that it stays below whatever it is looked up in. */
static bool is_path(const char *path)
{
	while (*path) {
		size_t n = strcspn(path, "/");

		if (n == 0 || (n == 1 && *path == '.') || (n == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		path += n;
		if (*path == '/' && !*++path)
			return false;
	}
	return true;
}

/* What stands between the attributes and the path. Returns what is wrong, or NULL. */
static const char *read_special(char **line, struct manifest_entry *entry)
{
	char *field;

	switch (entry->type) {
	case 'f':
		field = next_field(line);
		if (!field || !text_to_number(field, 0, INT64_MAX, &entry->size))
			return "the size is no number";
		field = next_field(line);
		if (!field || strlen(field) != 2 * DIGEST_SHA256_BYTES ||
		    !digest_from_text(field, DIGEST_SHA256_BYTES, entry->sha256))
			return "the checksum is not one of SHA-256";
		return NULL;
	case 'l':
		field = next_field(line);
		if (!field || !unescape(field))
			return "the target of a link is missing or not readable";
		entry->target = field;
		return NULL;
	case 'c':
	case 'b':
		return read_pair(next_field(line), &entry->major, &entry->minor)
			       ? NULL
			       : "the numbers of a device are missing or not readable";
	default:
		return NULL;
	}
}

/* Returns what is wrong, or NULL. */
static const char *read_line(char *line, struct manifest_entry *entry)
{
	char *field = next_field(&line);
	const char *wrong;

	if (!field || field[1] || !strchr("fdlcbps", *field))
		return "the type is none of f, d, l, c, b, p and s";
	entry->type = *field;
	if (!read_mode(next_field(&line), &entry->mode))
		return "the mode is no octal number of up to four digits";
	if (!read_pair(next_field(&line), &entry->uid, &entry->gid))
		return "the owner is not UID:GID";
	field = next_field(&line);
	if (!field || !is_printable(field))
		return "the attributes are missing or not readable";
	entry->xattrs = field;
	wrong = read_special(&line, entry);
	if (wrong)
		return wrong;
	field = next_field(&line);
	if (!field || line)
		return "there are too few or too many fields";
	if (text_equal(field, "."))
		*field = '\0';
	else if (!unescape(field) || !is_path(field))
		return "the path is not one within a tree";
	entry->path = field;
	return NULL;
}

static int wrong_line(char *error, size_t error_size, size_t line, const char *wrong)
{
	snprintf(error, error_size, "%zu: %s", line, wrong);
	return -EINVAL;
}

static int read_lines(char *text, struct manifest *manifest, char *error, size_t error_size)
{
	for (size_t i = 0; i < manifest->capacity; i++) {
		struct manifest_entry *entry = &manifest->entries[i];
		char *end = strchr(text, '\n');
		const char *wrong;

		if (!end)
			return wrong_line(error, error_size, i + 2, "the end is missing");
		*end = '\0';
		wrong = read_line(text, entry);
		if (!wrong && i > 0 && strcmp(entry[-1].path, entry->path) >= 0)
			wrong = "the path does not come after the one before it";
		if (wrong)
			return wrong_line(error, error_size, i + 2, wrong);
		manifest->count++;
		text = end + 1;
	}
	return *text ? wrong_line(error, error_size, manifest->count + 2,
				  "there are more lines than the first one says")
		     : 0;
}

int manifest_parse(char *text, size_t length, struct manifest *ret_manifest, char *error, size_t error_size)
{
	CLEANUP_MANIFEST struct manifest manifest = { .text = text };
	char *end = strchr(text, '\n');
	const char *number = text_after(text, FIRST_LINE);
	uint64_t count;
	int r;

	if (strlen(text) != length)
		return wrong_line(error, error_size, 1, "there is a NUL byte in it");
	if (end)
		*end = '\0';
	if (!end || !number || !text_to_number(number, 0, ENTRIES_MAX, &count))
		return wrong_line(error, error_size, 1, "this is not a manifest of a format that is known");
	/* A line has 10 bytes at least: so it is not the first line alone that says how much memory is taken. */
	if (count > length / 10)
		return wrong_line(error, error_size, 1, "there are fewer lines than it says");
	manifest.entries = calloc(count ? count : 1, sizeof *manifest.entries);
	if (!manifest.entries)
		return -ENOMEM;
	manifest.capacity = count;
	r = read_lines(end + 1, &manifest, error, error_size);
	if (r < 0)
		return r;
	*ret_manifest = manifest;
	manifest = (struct manifest){ 0 };
	return 0;
}
