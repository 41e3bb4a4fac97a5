/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What becomes of each entry of a top layer: the table in docs/generations.md. */
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>

#include "../adapters/digest.h"
#include "../util/file.h"
#include "../util/tree.h"
#include "plan.h"
#include "text-merge.h"

enum { DEPTH_MAX = 128, MERGE_BYTES_MAX = 4 << 20, QUESTION_BYTES_MAX = 16 << 20 };

/* A file can be larger than its disk. Packages have less than this all together; beyond, files count as changed. */
#define DIGEST_BYTES_MAX (UINT64_C(8) << 30)

/* The same name in three directories; a descriptor of -1: no such directory there. */
struct place {
	int own_fd, old_fd, new_fd;
	const char *path;             /* relative, "" for the top */
	int depth;
	bool covered;                 /* opaque, or below what is: the base shows nothing in it */
};

/* One name of a place. */
struct triple {
	const char *path;
	struct entry own, old, new;
	const struct owned_path *owned;
	bool covered;                 /* taking it away would show nothing */
};

/* Does the entry stay in the top layer? A negative errno is a failure. */
enum { GONE = 0, STAYS = 1 };

static int walk(struct planning *planning, const struct place *place, bool *ret_emptied);
static int is_unchanged(const struct entry *own, const struct entry *old, int depth);

/* ---- directories, read ---- */

static int open_directory(const struct entry *entry)
{
	int fd;

	if (!entry->there || !S_ISDIR(entry->st.st_mode))
		return -1;
	fd = openat(entry->dir_fd, entry->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

/* ---- telling ---- */

static struct lb_rebase_item *tell(struct planning *planning, const struct triple *triple,
				   enum lb_rebase_outcome outcome, const char *text)
{
	CLEANUP_FREE char *subject = text_format("/%s", triple->path);
	struct lb_rebase_item *item =
		report_add(&planning->rebase->report, LB_REBASE_FILE, outcome, subject ? subject : "", "%s", text);

	if (triple->owned)
		item->package = strdup(triple->owned->package->name);
	item->bytes = S_ISREG(triple->own.st.st_mode) ? (uint64_t)triple->own.st.st_blocks * 512 : 0;
	return item;
}

/* With all that is in it, where it is a directory. */
static int copy_new(struct planning *planning, const char *path, const struct entry *new, int depth)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	CLEANUP_FD int fd = -1;
	int r = 0;

	changes_add_copy(&planning->rebase->changes, CHANGE_COPY_NEW, path, path, NULL);
	if (!S_ISDIR(new->st.st_mode))
		return 0;
	fd = openat(new->dir_fd, new->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = depth >= DEPTH_MAX ? -ELOOP : view_list(&(struct view){ .base_fd = fd, .top_fd = -1 }, ".", &names);
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		CLEANUP_FREE char *below = text_format("%s/%s", path, names.items[i]);
		struct entry entry;

		r = below ? entry_look(fd, names.items[i], &entry) : -ENOMEM;
		if (r == 0)
			r = copy_new(planning, below, &entry, depth + 1);
	}
	return r;
}

/* The container's goes, and what the new base has in its place is seen. */
static int show_base(struct planning *planning, const struct triple *triple)
{
	int r;

	if (triple->covered && triple->new.there) {
		r = copy_new(planning, triple->path, &triple->new, 0);
		return r < 0 ? r : STAYS;
	}
	changes_add(&planning->rebase->changes, CHANGE_DROP, triple->path);
	return GONE;
}

static int drop(struct planning *planning, const struct triple *triple, const char *text)
{
	tell(planning, triple, LB_REBASE_FOLLOWS, text);
	return show_base(planning, triple);
}

static int stay(struct planning *planning, const struct triple *triple, const char *text)
{
	tell(planning, triple, LB_REBASE_STAYS, text);
	return STAYS;
}

/* The container's hides something newer. */
static int hide(struct planning *planning, const struct triple *triple, const char *text)
{
	tell(planning, triple, LB_REBASE_STAYS, text)->hides = true;
	return STAYS;
}

char *plan_question(const char *path, const struct entry *own, const struct entry *old, const struct entry *new)
{
	const struct entry *const entries[] = { own, old, new };
	CLEANUP_BUFFER struct buffer text = { 0 };

	buffer_add_text(&text, path);
	for (size_t i = 0; i < 3; i++) {
		uint8_t digest[DIGEST_SHA256_BYTES];
		char hex[2 * DIGEST_SHA256_BYTES + 1] = "";
		bool is_file = entries[i]->there && S_ISREG(entries[i]->st.st_mode);
		bool is_large = is_file && entries[i]->st.st_size > QUESTION_BYTES_MAX;
		CLEANUP_FD int fd = is_file && !is_large ? entry_open(entries[i]) : -1;

		if (is_large)
			snprintf(hex, sizeof hex, "%lld", (long long)entries[i]->st.st_size);
		if (fd >= 0 && digest_sha256_fd(fd, digest) == 0)
			digest_to_text(digest, sizeof digest, hex);
		buffer_format(&text, "\n%o %s", entries[i]->there ? entries[i]->st.st_mode : 0U, hex);
	}
	return text.failed ? NULL : text_format("%016llx", (unsigned long long)text_hash(text.data));
}

/*
 * Nobody's rule decides it: what was answered, else @unanswered. *ret_answer is for the caller to act upon.
 */
static enum answer ask(struct planning *planning, const struct triple *triple, enum lb_rebase_outcome unanswered,
		       const char *text)
{
	char *question = plan_question(triple->path, &triple->own, &triple->old, &triple->new);
	enum answer answer = question ? answers_find(&planning->answers, question) : ANSWER_NONE;
	struct lb_rebase_item *item;

	if (answer == ANSWER_KEEP)
		item = tell(planning, triple, LB_REBASE_STAYS, "the container's stays, as was answered");
	else if (answer == ANSWER_BASE)
		item = tell(planning, triple, LB_REBASE_FOLLOWS, "the base's is taken, as was answered");
	else
		item = tell(planning, triple, unanswered, text);
	item->question = question;
	item->hides = answer != ANSWER_BASE;
	planning->rebase->report.failed = planning->rebase->report.failed || !question;
	return answer;
}

/* ---- configuration that both sides changed ---- */

static bool is_configuration(const char *path)
{
	return text_after(path, "etc/");
}

static int read_whole(const struct entry *entry, char **ret_data, size_t *ret_length)
{
	int r = file_read(entry->dir_fd, entry->name, MERGE_BYTES_MAX, ret_data, ret_length);

	return r == -EFBIG ? 1 : r;
}

/* The mode and owner that three sides make: the one that changed it; both: the container's. */
static struct stat merge_attributes(const struct triple *triple)
{
	struct stat like = triple->own.st;

	if (!triple->old.there || !triple->new.there)
		return like;
	if (like.st_mode == triple->old.st.st_mode)
		like.st_mode = triple->new.st.st_mode;
	if (like.st_uid == triple->old.st.st_uid)
		like.st_uid = triple->new.st.st_uid;
	if (like.st_gid == triple->old.st.st_gid)
		like.st_gid = triple->new.st.st_gid;
	return like;
}

/* 1 where diff3 can put it together, 0 where it cannot. */
static int merge_lines(struct planning *planning, const struct triple *triple)
{
	CLEANUP_FREE char *old = NULL;
	CLEANUP_FREE char *new = NULL;
	CLEANUP_FREE char *own = NULL;
	CLEANUP_FREE char *merged = NULL;
	size_t old_length, new_length, own_length, length;
	struct stat like = merge_attributes(triple);
	bool clean = false;
	int r;

	if (!S_ISREG(triple->own.st.st_mode) || !triple->old.there || !S_ISREG(triple->old.st.st_mode) ||
	    !S_ISREG(triple->new.st.st_mode))
		return 0;
	r = read_whole(&triple->old, &old, &old_length);
	if (r == 0)
		r = read_whole(&triple->new, &new, &new_length);
	if (r == 0)
		r = read_whole(&triple->own, &own, &own_length);
	if (r == 0)
		r = text_merge((struct slice){ old, old_length }, (struct slice){ new, new_length },
			       (struct slice){ own, own_length }, &clean, &merged, &length);
	if (r != 0 || !clean)
		return r < 0 ? r : 0;
	changes_add_data(&planning->rebase->changes, triple->path, TAKE_PTR(merged), length, &like);
	tell(planning, triple, LB_REBASE_MERGED, "both changed it, in different lines");
	return 1;
}

/* Lays one of the versions beside the entry, under its name with @suffix. */
static void lay_beside(struct planning *planning, const struct triple *triple, enum change_kind kind,
		       const char *suffix)
{
	CLEANUP_FREE char *path = text_format("%s%s", triple->path, suffix);

	if (!path)
		planning->rebase->changes.failed = true;
	else
		changes_add_copy(&planning->rebase->changes, kind, path, triple->path, NULL);
}

static int reconcile(struct planning *planning, const struct triple *triple)
{
	int r = merge_lines(planning, triple);

	if (r)
		return r < 0 ? r : STAYS;
	switch (ask(planning, triple, LB_REBASE_BESIDE,
		    "both changed the same lines: the container's stays, the base's is beside it as .layerbox-new")) {
	case ANSWER_KEEP:
		return STAYS;
	case ANSWER_BASE:
		lay_beside(planning, triple, CHANGE_COPY_TOP, ".layerbox-old");
		r = show_base(planning, triple);
		return r < 0 ? r : STAYS; /* in the directory: the one beside it */
	default:
		lay_beside(planning, triple, CHANGE_COPY_NEW, ".layerbox-new");
		return STAYS;
	}
}

/* ---- files of packages ---- */

/* Is it as its package, in the version that the container had, brought it? 1, 0 or a negative errno. */
static int is_as_brought(struct planning *planning, const struct triple *triple)
{
	const struct owned_path *owned = triple->owned;
	char md5[2 * DIGEST_MD5_BYTES + 1], with_slash[PATH_MAX];
	uint8_t digest[DIGEST_MD5_BYTES];
	const char *sum = owned->md5, *field;
	CLEANUP_FD int fd = -1;
	int r;

	if (!S_ISREG(triple->own.st.st_mode))
		return 1;
	if (!*sum && owned->package->conffiles) {
		/* " /PATH MD5" in a line each */
		snprintf(with_slash, sizeof with_slash, "/%s ", triple->path);
		field = strstr(owned->package->conffiles, with_slash);
		sum = field ? field + strlen(with_slash) : "";
	}
	if (!*sum || (uint64_t)triple->own.st.st_size > DIGEST_BYTES_MAX - planning->digested)
		return 0;
	planning->digested += (uint64_t)triple->own.st.st_size;
	fd = entry_open(&triple->own);
	if (fd < 0)
		return fd;
	r = digest_md5_fd(fd, digest);
	digest_to_text(digest, sizeof digest, md5);
	return r < 0 ? r : strncmp(md5, sum, strlen(md5)) == 0;
}

/* The container had a version of its own of this package, and the base's counts from now on. */
static int judge_overtaken(struct planning *planning, const struct triple *triple)
{
	int r = entry_same(&triple->own, &triple->new);

	if (r == 0)
		r = is_as_brought(planning, triple);
	if (r < 0)
		return r;
	if (r == 1)
		return drop(planning, triple, "as its package brought it: the base's version of the package shows");
	if (!triple->new.there)
		return stay(planning, triple,
			    "changed in the container; the base's version of its package has it no more");
	if (is_configuration(triple->path))
		return reconcile(planning, triple);
	return hide(planning, triple, "changed in the container, and hides the base's newer one");
}

/* Did the container bring another version of this path's package than its base had? */
static bool is_overtaken(const struct triple *triple)
{
	const struct owned_path *owned = triple->owned;
	const struct package_decision *package = owned ? owned->package : NULL;

	if (!package || package->side != PACKAGE_BASE || !package->own)
		return false;
	return owned->in_own && (!package->before || !text_equal(package->before, package->own));
}

/* ---- what is no directory ---- */

static int judge_whiteout(struct planning *planning, const struct triple *triple)
{
	const struct owned_path *owned = triple->owned;

	if (!triple->new.there)
		return drop(planning, triple, "deleted in the container, and in the base as well");
	/* dpkg had removed it with an older version of the package; the base's has it again. */
	if (owned && owned->package->side == PACKAGE_BASE && owned->in_new && !owned->in_own && owned->package->own &&
	    (!owned->package->before || !text_equal(owned->package->before, owned->package->own)))
		return drop(planning, triple, "the base's version of its package has it");
	return STAYS;
}

/* Has a directory nothing but what the one in the old base has, as it is there? 1, 0 or a negative errno. */
static int is_unchanged_directory(const struct entry *own, const struct entry *old, int depth)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	CLEANUP_FD int own_fd = open_directory(own);
	CLEANUP_FD int old_fd = open_directory(old);
	int r = own_fd < 0 || old_fd < 0 || depth >= DEPTH_MAX ? 0 : entry_same_attributes(own, old);

	if (r != 1 || entry_is_opaque(own_fd))
		return r < 0 ? r : 0;
	r = tree_list_names(own_fd, &names);
	for (size_t i = 0; r == 0 && i < names.count; i++) {
		struct entry own_entry, old_entry;

		r = entry_look(own_fd, names.items[i], &own_entry);
		if (r == 0)
			r = entry_look(old_fd, names.items[i], &old_entry);
		if (r < 0)
			return r;
		r = is_unchanged(&own_entry, &old_entry, depth + 1);
		if (r != 1)
			return r;
		r = 0;
	}
	return r < 0 ? r : 1;
}

static int is_unchanged(const struct entry *own, const struct entry *old, int depth)
{
	return own->there && S_ISDIR(own->st.st_mode) ? is_unchanged_directory(own, old, depth) : entry_same(own, old);
}

/* A directory on one side where the other has none. */
static int judge_kinds(struct planning *planning, const struct triple *triple)
{
	int r = is_unchanged(&triple->own, &triple->old, 0);

	if (r)
		return r < 0 ? r
			     : drop(planning, triple, "as in the old base: what the new base has in its place shows");
	if (triple->old.there && (triple->old.st.st_mode & S_IFMT) == (triple->new.st.st_mode & S_IFMT))
		return stay(planning, triple, "the container has it in place of what the base has");
	if (ask(planning, triple, LB_REBASE_CONFLICT,
		"is a directory on one side and none on the other; answer with `layerbox rebase --answer`") !=
	    ANSWER_BASE)
		return STAYS;
	return show_base(planning, triple);
}

static int judge_changed_on_both(struct planning *planning, const struct triple *triple)
{
	int r = entry_same_content(&triple->own, &triple->old);
	struct stat like;

	if (r < 0)
		return r;
	if (r == 1 && S_ISREG(triple->new.st.st_mode)) {
		like = merge_attributes(triple);
		changes_add_copy(&planning->rebase->changes, CHANGE_COPY_NEW, triple->path, triple->path, &like);
		tell(planning, triple, LB_REBASE_MERGED, "the base's new content, with the container's mode and owner");
		return STAYS;
	}
	if (is_configuration(triple->path))
		return reconcile(planning, triple);
	return hide(planning, triple, "changed in the container, and hides the base's newer one");
}

static int judge_other(struct planning *planning, const struct triple *triple)
{
	int r = entry_same(&triple->own, &triple->old);

	if (r < 0)
		return r;
	if (r == 1)
		return drop(planning, triple, "a copy of the old base's: the new base's shows");
	r = entry_same(&triple->own, &triple->new);
	if (r < 0)
		return r;
	if (r == 1)
		return drop(planning, triple, "the same as the base's");
	if (!triple->new.there)
		return triple->old.there ? stay(planning, triple, "changed in the container, and no more in the base")
					 : STAYS;
	if (S_ISDIR(triple->new.st.st_mode) || (triple->old.there && S_ISDIR(triple->old.st.st_mode)))
		return judge_kinds(planning, triple);
	r = entry_same(&triple->old, &triple->new);
	if (r < 0)
		return r;
	if (r == 1)
		return stay(planning, triple, "changed in the container");
	return judge_changed_on_both(planning, triple);
}

static int judge_of_top_package(struct planning *planning, const struct triple *triple)
{
	int r = entry_is_whiteout(&triple->own) ? !triple->new.there : entry_same(&triple->own, &triple->new);

	return r < 0 ? r : r == 0 ? STAYS : drop(planning, triple, "the same as the base's");
}

/* What dpkg keeps of a package in info/ goes with the package's side. */
static int judge_info(struct planning *planning, const struct triple *triple, const struct package_decision *package)
{
	if (package->side == PACKAGE_TOP)
		return judge_of_top_package(planning, triple);
	return show_base(planning, triple);
}

static int judge_file(struct planning *planning, const struct triple *triple)
{
	const struct package_decision *package = plan_package_of_info(planning, triple->path);

	if (package)
		return judge_info(planning, triple, package);
	if (triple->owned && triple->owned->package->side == PACKAGE_TOP)
		return judge_of_top_package(planning, triple);
	if (entry_is_whiteout(&triple->own))
		return judge_whiteout(planning, triple);
	return is_overtaken(triple) ? judge_overtaken(planning, triple) : judge_other(planning, triple);
}

/* ---- directories ---- */

/* What an opaque directory hides of the new base that was not in the old one. */
static int judge_opaque(struct planning *planning, const struct triple *triple, int old_fd, int new_fd)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	const struct view view = { .base_fd = new_fd, .top_fd = -1 };
	int r = new_fd < 0 ? 0 : view_list(&view, ".", &names);
	struct stat st;

	if (r == 0)
		r = text_list_add(&planning->opaque, triple->path);
	for (size_t i = 0; r == 0 && i < names.count; i++)
		if (old_fd < 0 || fstatat(old_fd, names.items[i], &st, AT_SYMLINK_NOFOLLOW) < 0)
			return hide(planning, triple,
				    "replaced as a whole in the container: hides what is new in the base's");
	return r < 0 ? r : STAYS;
}

/* Nothing is left in the directory: is it needed? */
static int judge_emptied(struct planning *planning, const struct triple *triple, bool covered, size_t changes_before)
{
	int r;

	if (covered && triple->new.there)
		return STAYS;
	r = entry_same_attributes(&triple->own, &triple->new);

	if (r == 0 && (!triple->new.there || !entry_same_attributes(&triple->old, &triple->new)))
		r = entry_same_attributes(&triple->own, &triple->old);
	if (r <= 0)
		return r < 0 ? r : STAYS;
	changes_cut(&planning->rebase->changes, changes_before);
	changes_add(&planning->rebase->changes, CHANGE_DROP, triple->path);
	return GONE;
}

/* Mode and owner that the base changed and the container did not. */
static int follow_attributes(struct planning *planning, const struct triple *triple)
{
	int r;

	if (!triple->old.there || !triple->new.there || !S_ISDIR(triple->old.st.st_mode))
		return STAYS;
	r = entry_same_attributes(&triple->old, &triple->new);
	if (r)
		return r < 0 ? r : STAYS;
	r = entry_same_attributes(&triple->own, &triple->old);
	if (r == 1)
		changes_add_attributes(&planning->rebase->changes, triple->path, &triple->new.st);
	return r < 0 ? r : STAYS;
}

static int judge_directory(struct planning *planning, const struct triple *triple, int depth)
{
	CLEANUP_FD int own_fd = open_directory(&triple->own);
	CLEANUP_FD int old_fd = open_directory(&triple->old);
	CLEANUP_FD int new_fd = open_directory(&triple->new);
	bool opaque = own_fd >= 0 && entry_is_opaque(own_fd), hides = opaque && old_fd >= 0;
	const struct place place = { own_fd, old_fd, new_fd, triple->path, depth + 1, hides || triple->covered };
	size_t changes_before = planning->rebase->changes.count;
	bool emptied = false;
	int r = 0;

	if (own_fd < 0)
		return own_fd;
	if (old_fd < -1 || new_fd < -1)
		return old_fd < -1 ? old_fd : new_fd;
	if (triple->new.there && new_fd < 0)
		return judge_kinds(planning, triple);
	if (hides && !triple->covered)
		r = judge_opaque(planning, triple, old_fd, new_fd);
	if (r < 0)
		return r;
	/* What neither base has a directory for is the container's own, with all that is in it. */
	if (old_fd < 0 && new_fd < 0)
		return STAYS;
	if (depth >= DEPTH_MAX)
		return -ELOOP;
	/* overlayfs marks every directory that is made where the base has none: it was not meant to hide anything. */
	if (opaque && !place.covered)
		changes_add(&planning->rebase->changes, CHANGE_UNCOVER, triple->path);
	r = walk(planning, &place, &emptied);
	if (r < 0)
		return r;
	r = emptied ? judge_emptied(planning, triple, place.covered, changes_before) : STAYS;
	return r == STAYS ? follow_attributes(planning, triple) : r;
}

/* ---- the walk ---- */

static int judge(struct planning *planning, const struct place *place, const char *name)
{
	CLEANUP_FREE char *path = text_format("%s%s%s", place->path, *place->path ? "/" : "", name);
	struct triple triple = { .path = path, .covered = place->covered };
	int r = path ? entry_look(place->own_fd, name, &triple.own) : -ENOMEM;

	if (r == 0)
		r = entry_look(place->old_fd, name, &triple.old);
	if (r == 0)
		r = entry_look(place->new_fd, name, &triple.new);
	if (r < 0)
		return r;
	if (!triple.own.there || plan_is_handled(planning, path))
		return STAYS;
	triple.owned = ownership_find(&planning->ownership, path);
	if (S_ISDIR(triple.own.st.st_mode))
		return judge_directory(planning, &triple, place->depth);
	return judge_file(planning, &triple);
}

/* Plans are made for containers that run as well, and their files come and go. */
static bool has_vanished(const struct place *place, const char *name)
{
	struct entry entry;

	return entry_look(place->own_fd, name, &entry) == 0 && !entry.there;
}

static int walk(struct planning *planning, const struct place *place, bool *ret_emptied)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	int r = tree_list_names(place->own_fd, &names);

	if (r < 0)
		return r;
	*ret_emptied = true;
	for (size_t i = 0; i < names.count; i++) {
		r = judge(planning, place, names.items[i]);
		if (r == -ENOENT && has_vanished(place, names.items[i]))
			r = STAYS;
		if (r < 0) {
			if (!*planning->path_of_failure)
				snprintf(planning->path_of_failure, sizeof planning->path_of_failure, "%s/%s",
					 place->path, names.items[i]);
			return r;
		}
		*ret_emptied = *ret_emptied && r == GONE;
	}
	return 0;
}

int plan_files(struct planning *planning)
{
	const struct place top = { planning->top_fd, planning->old_fd, planning->new_fd, "", 0, false };
	bool emptied;
	int r = walk(planning, &top, &emptied);

	if (r < 0)
		return fail_errno(planning->ctx, r, "cannot compare %s of container '%s' with its base",
				  text_printable(planning->path_of_failure), planning->rebase->name);
	return 0;
}
