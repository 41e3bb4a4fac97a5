/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manifest-difference.h"

#include <inttypes.h>

static const char *type_name(char type)
{
	switch (type) {
	case 'd':
		return "directory";
	case 'l':
		return "link";
	case 'c':
		return "character device";
	case 'b':
		return "block device";
	case 'p':
		return "fifo";
	case 's':
		return "socket";
	default:
		return "file";
	}
}

/* Names of others are the tree's own and could be anything: numbers say more. */
static void add_id(struct buffer *text, char before, uint32_t id)
{
	if (id == 0)
		buffer_format(text, "%croot", before);
	else
		buffer_format(text, "%c%u", before, id);
}

char *manifest_describe(const struct manifest_entry *entry, const struct manifest_entry *other)
{
	CLEANUP_BUFFER struct buffer text = { 0 };
	char digest[2 * DIGEST_SHA256_BYTES + 1];

	buffer_add_text(&text, type_name(entry->type));
	if (entry->type == 'l')
		buffer_format(&text, " to %s", entry->target);
	buffer_format(&text, ", %04o,", entry->mode);
	add_id(&text, ' ', entry->uid);
	add_id(&text, ':', entry->gid);
	if (entry->type == 'f')
		buffer_format(&text, ", %" PRIu64 " bytes", entry->size);
	if (entry->type == 'c' || entry->type == 'b')
		buffer_format(&text, ", %u:%u", entry->major, entry->minor);
	if (other && entry->type == 'f' && other->type == 'f' &&
	    memcmp(entry->sha256, other->sha256, sizeof entry->sha256) != 0) {
		digest_to_text(entry->sha256, DIGEST_SHA256_BYTES, digest);
		buffer_format(&text, ", SHA-256 %s", digest);
	}
	if (other && !text_equal(entry->xattrs, other->xattrs))
		buffer_format(&text, ", attributes %s", text_equal(entry->xattrs, "-") ? "none" : entry->xattrs);
	return buffer_finish(&text);
}

static int tell(const struct manifest_entry *before, const struct manifest_entry *after, lb_difference_fn fn,
		void *userdata)
{
	CLEANUP_FREE char *path = text_format("/%s", (before ? before : after)->path);
	CLEANUP_FREE char *old = before ? manifest_describe(before, after) : NULL;
	CLEANUP_FREE char *new = after ? manifest_describe(after, before) : NULL;
	struct lb_difference difference = { .size = sizeof difference, .path = path, .before = old, .after = new };

	if (!path || (before && !old) || (after && !new))
		return -ENOMEM;
	if (fn)
		fn(&difference, userdata);
	return 0;
}

int manifest_compare(const struct manifest *before, const struct manifest *after, lb_difference_fn fn, void *userdata,
		     size_t *ret_count)
{
	size_t i = 0, j = 0, count = 0;
	int r = 0;

	while (r == 0 && (i < before->count || j < after->count)) {
		const struct manifest_entry *old = i < before->count ? &before->entries[i] : NULL;
		const struct manifest_entry *new = j < after->count ? &after->entries[j] : NULL;
		int order = !old ? 1 : !new ? -1 : strcmp(old->path, new->path);

		i += order <= 0;
		j += order >= 0;
		if (order == 0 && manifest_entry_equal(old, new))
			continue;
		count++;
		r = tell(order <= 0 ? old : NULL, order >= 0 ? new : NULL, fn, userdata);
	}
	*ret_count = count;
	return r;
}
