/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What tests of streams share: a plan packed into the file "s", which is unpacked into the directory "out". */
#pragma once

#include "unit.h"

#include <errno.h>

#include "../../libexec/stream-copy.h"
#include "../../libexec/stream-format.h"
#include "../../libexec/stream-pack.h"
#include "../../libexec/stream-unpack.h"
#include "../../liblayerbox/util/file.h"
#include "trees.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define LAYER_A "out/layers/" A "/rootfs-layer"
#define LAYER_B "out/layers/" B "/rootfs-layer"
#define HEAD "file layerbox-stream 11\nformat = 1\n\nfile container.conf 4\na = \n"
#define TREE_A HEAD "tree layers/1 a\nend\n"
#define DIFFERENCE HEAD "difference layers/1 b a\nend\n"

static struct stream_error error;

/* What the reader is told, and what of it happens. */
struct told {
	const char *layer, *other; /* accepted */
	const char *from; /* the tree that @layer is a difference to */
	bool base, privileged;
	uint64_t entries_max;
	bool acl; /* the directory has one that is inherited */
	int called;
};

static const struct told layer_a = { .layer = A };
static const struct told from_a = { .layer = A, .from = "a" };

static inline int make_from(const char *from)
{
	int r = tree_make_directories(AT_FDCWD, LAYER_A, 0700), from_fd, fd;

	assert_true(r >= 0);
	from_fd = open(from, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	fd = open(LAYER_A, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(from_fd >= 0 && fd >= 0);
	r = stream_copy_tree(from_fd, fd, &error);
	close(from_fd);
	close(fd);
	return r;
}

static inline int tell(void *userdata, struct stream_plan *plan, struct stream_error *plan_error)
{
	struct told *told = userdata;

	(void)plan_error;
	told->called++;
	if (told->acl)
		assert_int_equal(setxattr("out", "system.posix_acl_default", acl, sizeof acl - 1, 0), 0);
	plan->base = told->base;
	plan->privileged = told->privileged;
	if (told->entries_max)
		plan->entries_max = told->entries_max;
	if (told->layer && stream_plan_add(plan, told->layer, told->from != NULL) < 0)
		return -STREAM_FAILED;
	if (told->other && stream_plan_add(plan, told->other, false) < 0)
		return -STREAM_FAILED;
	return told->from ? make_from(told->from) : 0;
}

static inline int pack_to(const char *file, const char *plan, enum stream_form form)
{
	CLEANUP_FD int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	CLEANUP_FILE FILE *lines = fmemopen((void *)(uintptr_t)plan, strlen(plan), "r");

	assert_true(fd >= 0 && lines);
	return stream_pack(lines, fd, form, &error);
}

static inline void pack(const char *plan, enum stream_form form)
{
	if (pack_to("s", plan, form) < 0)
		fail_msg("cannot pack: %s", error.text);
}

static inline int unpack_file(const char *file, const struct told *told)
{
	CLEANUP_FD int fd = open(file, O_RDONLY | O_CLOEXEC);
	CLEANUP_FD int out = -1;
	struct told mine = *told;
	int r;

	assert_true(fd >= 0);
	assert_int_equal(tree_remove(AT_FDCWD, "out"), 0);
	assert_int_equal(mkdir("out", 0700), 0);
	out = open("out", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	error = (struct stream_error){ 0 };
	r = stream_unpack(fd, out, tell, &mine, &error);
	assert_true(mine.called <= 1 && (r < 0 || mine.called == 1));
	assert_true(r == 0 || (r == -(int)error.status && *error.text));
	return r;
}

static inline void unpack(const struct told *told)
{
	if (unpack_file("s", told) < 0)
		fail_msg("cannot unpack: %s", error.text);
}

static inline void refused(const struct told *told, const char *sentence)
{
	int r = unpack_file("s", told);

	if (r != -STREAM_BAD)
		fail_msg("not refused for \"%s\": %d %s", sentence, r, r ? error.text : "");
	assert_contains(error.text, sentence);
}

/* Before each test: empty directories. */
static inline int begin(void **state)
{
	static const char *const names[] = { "a", "a b", "b", "c", "gen", "out", "outside", "s", "stdout", "t" };

	(void)state;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (tree_remove(AT_FDCWD, names[i]) < 0)
			return -1;
	need_root();
	return mkdir("a", 0755) < 0 || mkdir("b", 0755) < 0 || mkdir("outside", 0755) < 0 ? -1 : 0;
}

/* Files of "a" are those of "b": then a change of attributes is one of both, and no difference. */
static inline void share_tree(void)
{
	CLEANUP_FD int from = open("a", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	CLEANUP_FD int to = -1;

	assert_int_equal(tree_remove(AT_FDCWD, "b"), 0);
	assert_int_equal(mkdir("b", 0700), 0);
	to = open("b", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_int_equal(stream_copy_tree(from, to, &error), 0);
	compare_trees("a", "b");
}
