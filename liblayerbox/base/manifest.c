/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "manifest.h"

#include <fcntl.h>

#include "../util/file.h"
#include "generation.h"
#include "manifest-entry.h"

enum { MANIFEST_BYTES_MAX = 1 << 30 };

void manifest_free(struct manifest *manifest)
{
	for (size_t i = 0; !manifest->text && i < manifest->count; i++)
		manifest_entry_free(&manifest->entries[i]);
	free(manifest->entries);
	free(manifest->text);
	*manifest = (struct manifest){ 0 };
}

static int compare_to_entry(const void *path, const void *entry)
{
	return strcmp(path, ((const struct manifest_entry *)entry)->path);
}

const struct manifest_entry *manifest_find(const struct manifest *manifest, const char *path)
{
	return manifest->count ? bsearch(path, manifest->entries, manifest->count, sizeof *manifest->entries,
					 compare_to_entry)
			       : NULL;
}

bool manifest_entry_equal(const struct manifest_entry *a, const struct manifest_entry *b)
{
	return a->type == b->type && a->mode == b->mode && a->uid == b->uid && a->gid == b->gid && a->size == b->size &&
	       a->major == b->major && a->minor == b->minor && text_equal(a->xattrs, b->xattrs) &&
	       (a->type != 'l' || text_equal(a->target, b->target)) &&
	       memcmp(a->sha256, b->sha256, sizeof a->sha256) == 0;
}

int manifest_read(struct lb_context *ctx, int generation_fd, const char *what, struct manifest *ret_manifest)
{
	char error[256], *text;
	size_t length;
	int r = file_read(generation_fd, GENERATION_MANIFEST, MANIFEST_BYTES_MAX, &text, &length);

	if (r == -ENOENT)
		return fail(ctx, -ENOENT,
			    "%s has no manifest: an older layerbox has made it, or it is damaged; what is upgraded or "
			    "built from now on has one",
			    what);
	if (r < 0)
		return fail_errno(ctx, r, "cannot read the manifest of %s", what);
	r = manifest_parse(text, length, ret_manifest, error, sizeof error);
	if (r == -ENOMEM)
		return fail_memory(ctx);
	if (r < 0)
		return fail(ctx, -LB_ERR_DAMAGED,
			    "the manifest of %s is damaged, at line %s; build or upgrade the base anew, and rebase "
			    "what "
			    "stands on this generation",
			    what, error);
	return 0;
}

/* What the generation before has to offer: -1 and nothing where it has no manifest. */
static int read_previous(struct lb_context *ctx, int generation_fd, struct manifest *ret_manifest, int *ret_tree_fd)
{
	int fd, r = manifest_read(ctx, generation_fd, "the generation before", ret_manifest);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r;
	fd = openat(generation_fd, GENERATION_TREE, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return fail_errno(ctx, errno, "cannot open the tree of the generation before");
	*ret_tree_fd = fd;
	return 0;
}

int manifest_write(struct lb_context *ctx, int generation_fd, int tree_fd, int previous_generation_fd)
{
	CLEANUP_MANIFEST struct manifest manifest = { 0 };
	CLEANUP_MANIFEST struct manifest previous = { 0 };
	CLEANUP_FD int previous_tree_fd = -1;
	CLEANUP_FREE char *text = NULL;
	size_t length;
	int r = 0;

	if (previous_generation_fd >= 0)
		r = read_previous(ctx, previous_generation_fd, &previous, &previous_tree_fd);
	if (r == 0)
		r = manifest_scan(ctx, tree_fd, previous_tree_fd, &previous, &manifest);
	if (r < 0)
		return r;
	text = manifest_to_text(&manifest, &length);
	if (!text)
		return fail_memory(ctx);
	if (length > MANIFEST_BYTES_MAX)
		return fail(ctx, -EFBIG, "the base has more files than a manifest can have");
	r = file_write(generation_fd, GENERATION_MANIFEST, text, length, 0600, FILE_LAZY);
	return r < 0 ? fail_errno(ctx, r, "cannot write the manifest of the base") : 0;
}
