/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "base-in.h"

#include <fcntl.h>
#include <linux/fs.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "../adapters/digest.h"
#include "../base/generation-list.h"
#include "../base/generation.h"
#include "../base/manifest.h"
#include "../container/record.h"
#include "../core/lock.h"
#include "../core/store.h"
#include "../util/file.h"
#include "../util/tree.h"

#define BASE "base"
#define MADE "new-base"

enum { MANIFEST_BYTES_MAX = 1 << 28 };

static int open_below(int dir_fd, const char *name)
{
	return openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

/* ---- the one that is here ---- */

static bool has_manifest(int generation_fd, const char *digest)
{
	CLEANUP_FD int fd = openat(generation_fd, GENERATION_MANIFEST, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	char text[2 * DIGEST_SHA256_BYTES + 1];
	uint8_t bytes[DIGEST_SHA256_BYTES];

	if (fd < 0 || digest_sha256_fd(fd, bytes) < 0)
		return false;
	digest_to_text(bytes, sizeof bytes, text);
	return text_equal(text, digest);
}

int base_in_digest_at(struct lb_context *ctx, int generation_fd, const char *name, unsigned generation,
		      char ret_digest[DIGEST_TEXT_SIZE])
{
	CLEANUP_FD int fd = openat(generation_fd, GENERATION_MANIFEST, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	uint8_t digest[DIGEST_SHA256_BYTES];
	int r;

	if (fd < 0 && errno == ENOENT)
		return fail(ctx, -LB_ERR_DAMAGED,
			    "base %s@%u has no manifest, by which it could be known elsewhere; make the next "
			    "generation of it and "
			    "rebase the container",
			    name, generation);
	r = fd < 0 ? -errno : digest_sha256_fd(fd, digest);
	if (r < 0)
		return fail_errno(ctx, r, "cannot read the manifest of base %s@%u", name, generation);
	digest_to_text(digest, sizeof digest, ret_digest);
	return 0;
}

int base_in_digest(struct lb_context *ctx, const char *name, unsigned generation, char ret_digest[DIGEST_TEXT_SIZE])
{
	CLEANUP_FREE char *path = store_path(ctx, STORE_BASES "/%s/%u", name, generation);
	CLEANUP_FD int fd = path ? open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) : -1;

	if (fd < 0)
		return path ? fail_errno(ctx, errno, "cannot open base %s@%u", name, generation) : fail_memory(ctx);
	return base_in_digest_at(ctx, fd, name, generation, ret_digest);
}

/* 1 where it is not that. */
static int look_at(const struct lb_base *candidate, const char *digest, struct base_in *base)
{
	CLEANUP_FD int base_fd = -1;
	CLEANUP_FD int generation_fd = -1;

	/* One that goes just now is none. */
	if (base_hold(candidate, &base_fd, &generation_fd) < 0 || !has_manifest(generation_fd, digest))
		return 1;
	text_copy(base->name, sizeof base->name, candidate->name);
	base->generation = candidate->generation;
	base->base_fd = take_fd(&base_fd);
	base->generation_fd = take_fd(&generation_fd);
	return 0;
}

int base_in_find(struct lb_context *ctx, const char *digest, const char *name, unsigned generation,
		 struct base_in *base)
{
	struct lb_base **bases;
	size_t count;
	int r = generation_list_all(ctx, false, &bases, &count);

	if (r < 0)
		return r;
	r = 1;
	for (int by_name = 1; r == 1 && by_name >= 0; by_name--)
		for (size_t i = 0; r == 1 && i < count; i++)
			if ((text_equal(bases[i]->name, name) && bases[i]->generation == generation) == by_name)
				r = look_at(bases[i], digest, base);
	lb_base_list_free(bases);
	return r;
}

/* ---- what is to be done about one that is not ---- */

/* The newest generation of a base, 0 where there is no such base; and whether it has that one. */
static int look_up(struct lb_context *ctx, const char *name, unsigned generation, unsigned *ret_newest, bool *ret_taken)
{
	CLEANUP_FD int bases_fd = store_open_directory(ctx, STORE_BASES);
	CLEANUP_FD int fd = bases_fd < 0 ? -1 : open_below(bases_fd, name);
	char number[16];

	if (bases_fd < 0)
		return bases_fd;
	*ret_newest = 0;
	*ret_taken = false;
	if (fd < 0)
		return errno == ENOENT ? 0 : fail_errno(ctx, errno, "cannot open base '%s'", name);
	if (generation_find_newest(fd, ret_newest) < 0)
		*ret_newest = GENERATION_MAX; /* it is damaged: nothing is added to it */
	snprintf(number, sizeof number, "%u", generation);
	*ret_taken = faccessat(fd, number, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
	return 0;
}

static int not_here(struct lb_context *ctx, const struct stream_header *header, bool taken)
{
	if (taken)
		return fail(ctx, -LB_ERR_BASE_DIFFERS,
			    "the container stands on a base %s@%u that is not the one of that name here; have the base "
			    "sent along "
			    "(`layerbox export --with-base`) and give it another name with --base-as",
			    header->base, header->generation);
	return fail(ctx, -LB_ERR_NO_BASE,
		    "the container stands on base %s@%u, which is not here under any name; have it sent along "
		    "(`layerbox export "
		    "--with-base`)",
		    header->base, header->generation);
}

int base_in_decide(struct lb_context *ctx, const struct stream_header *header, const char *as, struct base_in *base)
{
	unsigned newest;
	bool taken;
	int r;

	base->ctx = ctx;
	r = base_in_find(ctx, header->base_manifest, header->base, header->generation, base);
	if (r <= 0)
		return r;
	r = look_up(ctx, as && header->base_included ? as : header->base, header->generation, &newest, &taken);
	if (r < 0)
		return r;
	if (!header->base_included)
		return not_here(ctx, header, taken);
	text_copy(base->name, sizeof base->name, as ? as : header->base);
	base->generation = header->generation;
	if (as && taken)
		base->generation = newest + 1;
	if (base->generation > GENERATION_MAX)
		return fail(ctx, -LB_ERR_EXHAUSTED, "base '%s' can have no more generations", base->name);
	if (!as && taken)
		return fail(ctx, -LB_ERR_BASE_DIFFERS,
			    "base %s@%u of the stream is not the one of that name here; give it another name with "
			    "--base-as",
			    header->base, header->generation);
	/* Whoever can send one container must not decide what others are made of. */
	if (!as && newest && header->generation > newest)
		return fail(ctx, -LB_ERR_BASE_DIFFERS,
			    "base %s@%u of the stream would be the newest generation of base '%s', which new "
			    "containers begin with; "
			    "if that is meant, say so with --base-as %s, else give it another name with --base-as",
			    header->base, header->generation, header->base, header->base);
	return 1;
}

/* ---- the one that came ---- */

static int differs(struct lb_context *ctx)
{
	return fail(ctx, -LB_ERR_BAD_STREAM, "the base in the stream is not what its manifest says");
}

/* All of it is read once more: what is on disk counts, not what came. */
static int verify(struct lb_context *ctx, int base_fd, int tree_fd, const char *digest)
{
	CLEANUP_MANIFEST struct manifest present = { 0 };
	CLEANUP_FREE char *text = NULL;
	uint8_t bytes[DIGEST_SHA256_BYTES];
	char found[2 * DIGEST_SHA256_BYTES + 1];
	struct stat st;
	size_t length;
	int r;

	if (fstat(tree_fd, &st) < 0 || st.st_uid || st.st_gid || (st.st_mode & 07777) != 0755 ||
	    !has_manifest(base_fd, digest))
		return differs(ctx);
	progress(ctx, -1, "checking the base");
	r = manifest_scan(ctx, tree_fd, -1, NULL, &present);
	if (r < 0)
		return r;
	text = manifest_to_text(&present, &length);
	if (!text)
		return fail_memory(ctx);
	digest_sha256(text, length, bytes);
	digest_to_text(bytes, sizeof bytes, found);
	return text_equal(found, digest) ? 0 : differs(ctx);
}

/* Is there a base's generation that is called so? */
static bool is_here(struct lb_context *ctx, const char *text)
{
	struct lb_base *base;

	if (base_open(ctx, text, &base) < 0)
		return false;
	lb_base_free(base);
	return true;
}

static int replace_text(struct lb_context *ctx, char **member, const char *text)
{
	char *copy = strdup(text);

	if (!copy)
		return fail_memory(ctx);
	free(*member);
	*member = copy;
	return 0;
}

/*
 * What it says of itself is from outside, too: a recipe is by its name one of this host's, never a file anywhere, and a
 * parent one that is here.
 */
static int rewrite_record(struct lb_context *ctx, int base_fd, int tree_fd, const struct base_in *base)
{
	CLEANUP(generation_record_free) struct generation_record record = { 0 };
	CLEANUP_FREE char *text = NULL;
	int64_t created;
	int r = generation_read(ctx, base_fd, base->name, base->generation, &record);

	if (r < 0)
		return fail(ctx, -LB_ERR_BAD_STREAM, GENERATION_FILE " of the base in the stream cannot be read");
	created = record.created;
	if (!name_is_valid(record.recipe))
		r = replace_text(ctx, &record.recipe, "import");
	if (r == 0 && *record.parent && !is_here(ctx, record.parent))
		r = replace_text(ctx, &record.parent, "");
	if (r == 0)
		r = generation_describe(ctx, tree_fd, &record);
	if (r < 0)
		return r;
	record.created = created;
	text = generation_to_text(&record);
	if (!text)
		return fail_memory(ctx);
	r = file_write(base_fd, GENERATION_FILE, text, strlen(text), 0644, FILE_LAZY);
	return r < 0 ? fail_errno(ctx, r, "cannot write the record of base '%s'", base->name) : 0;
}

static int failed_place(const struct base_in *base, int error)
{
	if (error == EEXIST || error == ENOTEMPTY)
		return fail(base->ctx, -LB_ERR_EXISTS, "generation %u of base '%s' came about just now; try again",
			    base->generation, base->name);
	return fail_errno(base->ctx, error, "cannot give base %s@%u its name", base->name, base->generation);
}

/* The whole base under its name where there was none, else one more generation. All is on disk. */
static int place(const struct inbox *inbox, struct base_in *base)
{
	CLEANUP_FD int lock = lock_root(base->ctx);
	CLEANUP_FD int bases_fd = lock < 0 ? -1 : store_open_directory(base->ctx, STORE_BASES);
	CLEANUP_FD int base_fd = bases_fd < 0 ? -1 : open_below(bases_fd, base->name);
	CLEANUP_FD int made_fd = -1;
	char number[16];

	if (bases_fd < 0)
		return lock < 0 ? lock : bases_fd;
	snprintf(number, sizeof number, "%u", base->generation);
	base->first = base_fd < 0;
	if (base_fd < 0) {
		if (mkdirat(inbox->fd, MADE, 0700) < 0)
			return failed_place(base, errno);
		made_fd = open_below(inbox->fd, MADE);
		if (made_fd < 0 || fchmod(made_fd, 0711) < 0)
			return failed_place(base, errno);
	}
	if (renameat2(inbox->fd, BASE, base_fd < 0 ? made_fd : base_fd, number, RENAME_NOREPLACE) < 0)
		return failed_place(base, errno);
	if (base_fd < 0 && renameat2(inbox->fd, MADE, bases_fd, base->name, RENAME_NOREPLACE) < 0)
		return failed_place(base, errno);
	base->taken = true;
	if (fsync(base_fd < 0 ? made_fd : base_fd) < 0 || fsync(bases_fd) < 0)
		return failed_place(base, errno);
	base->base_fd = base_fd < 0 ? take_fd(&made_fd) : take_fd(&base_fd);
	base->generation_fd = open_below(base->base_fd, number);
	return base->generation_fd < 0 || flock(base->base_fd, LOCK_SH | LOCK_NB) < 0 ? failed_place(base, errno) : 0;
}

int base_in_take(const struct inbox *inbox, const struct stream_header *header, struct base_in *base)
{
	CLEANUP_FD int base_fd = open_below(inbox->fd, BASE);
	CLEANUP_FD int tree_fd = base_fd < 0 ? -1 : open_below(base_fd, GENERATION_TREE);
	int r;

	if (tree_fd < 0)
		return fail(base->ctx, -LB_ERR_BAD_STREAM,
			    "the stream says that it has a base, but there is none in it");
	r = verify(base->ctx, base_fd, tree_fd, header->base_manifest);
	if (r == 0)
		r = rewrite_record(base->ctx, base_fd, tree_fd, base);
	if (r < 0)
		return r;
	if (fchmod(base_fd, 0700) < 0 || syncfs(base_fd) < 0)
		return fail_errno(base->ctx, errno, "cannot write base '%s' to disk", base->name);
	return place(inbox, base);
}

void base_in_keep(struct base_in *base)
{
	base->kept = true;
}

/* Hides what was taken, unless somebody stands on it by now. */
static int hide(struct base_in *base, int parent_fd, const char *name, char hidden[128])
{
	CLEANUP_TEXT_LIST struct text_list users = { 0 };
	CLEANUP_FD int lock = lock_root(base->ctx);
	int r = lock < 0 ? lock : record_base_users(base->ctx, base->name, base->first ? 0 : base->generation, &users);

	if (r < 0 || users.count)
		return r < 0 ? r : 1;
	return flock(base->base_fd, LOCK_EX | LOCK_NB) < 0 ? 1 : store_hide(base->ctx, parent_fd, name, hidden);
}

static void take_back(struct base_in *base)
{
	CLEANUP_FREE char *sentence = strdup(base->ctx->error);
	CLEANUP_FD int bases_fd = store_open_directory(base->ctx, STORE_BASES);
	char hidden[128], number[16];
	int parent_fd = base->first ? bases_fd : base->base_fd, r;

	snprintf(number, sizeof number, "%u", base->generation);
	r = parent_fd < 0 ? parent_fd : hide(base, parent_fd, base->first ? base->name : number, hidden);
	if (r == 0)
		r = tree_remove(parent_fd, hidden);
	if (r < 0)
		log_message(base->ctx, LB_LOG_WARNING,
			    "base %s@%u, which came with the stream, could not be taken back", base->name,
			    base->generation);
	if (sentence) /* of what made it necessary */
		text_copy(base->ctx->error, sizeof base->ctx->error, sentence);
}

void base_in_end(struct base_in *base)
{
	if (base->taken && !base->kept)
		take_back(base);
	close_fd(take_fd(&base->generation_fd));
	close_fd(take_fd(&base->base_fd));
}
