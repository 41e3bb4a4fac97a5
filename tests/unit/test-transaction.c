/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Changing a top layer: each operation, that an undo leaves nothing behind, and kills and failures at every step. */
#include "unit.h"

#include <dirent.h>
#include <errno.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <time.h>

#include "../../liblayerbox/rebase/transaction.h"
#include "../../liblayerbox/util/text.h"

#define TOP "c/rootfs-layer/"
#define NAME "c"

static struct lb_context *ctx;
static int container_fd = -1, base_fd = -1;

/* ---- failures on demand: the library is linked in, so that its calls come here ---- */

static int calls, fail_at = -1;

static bool fails(void)
{
	if (calls++ != fail_at)
		return false;
	errno = ENOSPC;
	return true;
}

int renameat2(int from_fd, const char *from, int to_fd, const char *to, unsigned flags)
{
	return fails() ? -1 : (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, flags);
}

int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
	return fails() ? -1 : (int)syscall(SYS_renameat2, from_fd, from, to_fd, to, 0);
}

int fsync(int fd)
{
	return fails() ? -1 : (int)syscall(SYS_fsync, fd);
}

int futimens(int fd, const struct timespec times[2])
{
	return fails() ? -1 : (int)syscall(SYS_utimensat, fd, NULL, times, 0);
}

/* ---- a tree as text: everything but ctime and inode ---- */

static void dump_xattrs(struct buffer *text, int fd, const char *name)
{
	CLEANUP_TEXT_LIST struct text_list list = { 0 };
	char path[600], names[4096], value[4096];
	ssize_t size;

	snprintf(path, sizeof path, "/proc/self/fd/%d/%s", fd, name);
	size = llistxattr(path, names, sizeof names);
	for (const char *p = names; size > 0 && p < names + size; p += strlen(p) + 1)
		assert_int_equal(text_list_add(&list, p), 0);
	text_list_sort(&list);
	for (size_t i = 0; i < list.count; i++) {
		ssize_t n = lgetxattr(path, list.items[i], value, sizeof value);

		buffer_format(text, " %s=", list.items[i]);
		for (ssize_t j = 0; j < n; j++)
			buffer_format(text, "%02x", (unsigned char)value[j]);
	}
}

static void dump_content(struct buffer *text, int fd, const char *name, const struct stat *st)
{
	char data[8192];
	ssize_t n = 0;
	int file;

	if (S_ISLNK(st->st_mode)) {
		n = readlinkat(fd, name, data, sizeof data);
	} else if (S_ISREG(st->st_mode)) {
		file = openat(fd, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		assert_true(file >= 0);
		n = read(file, data, sizeof data);
		close(file);
	}
	buffer_add(text, " ", 1);
	for (ssize_t i = 0; i < n; i++)
		buffer_format(text, "%c", data[i] ? data[i] : '0');
}

static void dump_entry(struct buffer *text, int parent, const char *name, const char *path)
{
	CLEANUP_TEXT_LIST struct text_list list = { 0 };
	struct dirent *entry;
	struct stat st;
	DIR *dir;

	assert_int_equal(fstatat(parent, name, &st, AT_SYMLINK_NOFOLLOW), 0);
	buffer_format(text, "%s %o %u:%u %ld %lx %ld.%09ld", path, st.st_mode, st.st_uid, st.st_gid,
		      S_ISDIR(st.st_mode) ? 0L : (long)st.st_size, (long)st.st_rdev, (long)st.st_mtim.tv_sec,
		      st.st_mtim.tv_nsec);
	if (!S_ISDIR(st.st_mode))
		buffer_format(text, " %lu links", (unsigned long)st.st_nlink);
	dump_content(text, parent, name, &st);
	dump_xattrs(text, parent, name);
	buffer_add(text, "\n", 1);
	if (!S_ISDIR(st.st_mode))
		return;
	dir = fdopendir(openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
	assert_non_null(dir);
	while ((entry = readdir(dir)))
		if (!text_equal(entry->d_name, ".") && !text_equal(entry->d_name, ".."))
			assert_int_equal(text_list_add(&list, entry->d_name), 0);
	text_list_sort(&list);
	for (size_t i = 0; i < list.count; i++) {
		CLEANUP_FREE char *below = text_format("%s/%s", path, list.items[i]);

		dump_entry(text, dirfd(dir), list.items[i], below);
	}
	closedir(dir);
}

/* The caller's. */
static char *dump(const char *path)
{
	struct buffer text = { 0 };

	dump_entry(&text, AT_FDCWD, path, path);
	return buffer_finish(&text);
}

static void assert_unchanged(const char *before)
{
	CLEANUP_FREE char *after = dump("c/rootfs-layer");
	size_t same = 0;

	if (text_equal(before, after))
		return;
	for (size_t i = 0; before[i] == after[i]; i++)
		same = before[i] == '\n' ? i + 1 : same;
	fail_msg("the layer has\n%.300s\ninstead of\n%.300s", after + same, before + same);
}

/* ---- a container ---- */

static void make_directory(const char *path)
{
	assert_true(tree_make_directories(AT_FDCWD, path, 0755) >= 0);
}

static void set_xattr(const char *path, const char *name, const char *value)
{
	assert_int_equal(lsetxattr(path, name, value, strlen(value), 0), 0);
}

static void make_socket(const char *path)
{
	assert_int_equal(mknod(path, S_IFSOCK | 0640, 0), 0);
}

/* Times of its own for each directory, so that none is right by chance. */
static void age(const char *path, long seconds)
{
	const struct timespec times[] = { { .tv_sec = seconds + 1, .tv_nsec = 111 }, { .tv_sec = seconds, .tv_nsec = 123456789 } };

	assert_int_equal(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

static void make_layer(void)
{
	make_directory(TOP "etc");
	put_file(TOP "etc/passwd", "root:x\n");
	set_xattr(TOP "etc/passwd", "trusted.overlay.origin", "from below");
	put_file(TOP "etc/shadow", "root:!\n");
	assert_int_equal(chown(TOP "etc/shadow", 0, 42), 0);
	assert_int_equal(chmod(TOP "etc/shadow", 0640), 0);
	assert_int_equal(mknod("c/work-whiteout", S_IFCHR, 0), 0);
	assert_int_equal(link("c/work-whiteout", TOP "etc/motd"), 0);
	assert_int_equal(link("c/work-whiteout", TOP "etc/issue"), 0);
	assert_int_equal(symlink("passwd", TOP "etc/link"), 0);
	make_directory(TOP "var/lib/thing/deep");
	set_xattr(TOP "var/lib/thing", "trusted.overlay.opaque", "y");
	set_xattr(TOP "var/lib", "trusted.overlay.impure", "y");
	put_file(TOP "var/lib/thing/deep/data", "deep");
	put_file(TOP "var/lib/thing/data", "data");
	assert_int_equal(mkfifo(TOP "var/fifo", 0600), 0);
	make_socket(TOP "var/socket");
	put_file(TOP "var/odd \\ name\n", "odd");
	assert_int_equal(symlink("../../outside", TOP "evil"), 0);
	age(TOP "var/lib/thing/deep", 1000);
	age(TOP "var/lib/thing", 2000);
	age(TOP "var/lib", 3000);
	age(TOP "var", 4000);
	age(TOP "etc", -5000);
	age(TOP ".", 6000);
}

static void make_base(void)
{
	make_directory("base/usr/share/doc");
	make_directory("base/dev");
	put_file("base/usr/tool", "tool");
	assert_int_equal(chown("base/usr/tool", 7, 8), 0);
	assert_int_equal(chmod("base/usr/tool", 04755), 0);
	assert_int_equal(chown("base/usr/share", 5, 6), 0);
	assert_int_equal(chmod("base/usr/share", 02751), 0);
	set_xattr("base/usr/share", "trusted.kept", "yes");
	set_xattr("base/usr/share", "trusted.overlay.impure", "y");
	assert_int_equal(symlink("usr/lib", "base/lib"), 0);
	assert_int_equal(mknod("base/dev/null", S_IFCHR | 0666, makedev(1, 3)), 0);
	age("base/usr/tool", 70);
	age("base/usr/share/doc", 80);
	age("base/usr/share", 90);
	age("base/usr", 100);
}

static int begin(void **state)
{
	(void)state;
	calls = 0;
	fail_at = -1;
	make_directory(TOP);
	make_directory("outside");
	put_file("outside/kept", "kept");
	make_layer();
	make_base();
	container_fd = open("c", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	base_fd = open("base", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return container_fd < 0 || base_fd < 0 ? -1 : 0;
}

static int end(void **state)
{
	(void)state;
	close(container_fd);
	close(base_fd);
	return tree_remove(AT_FDCWD, "c") < 0 || tree_remove(AT_FDCWD, "base") < 0 || tree_remove(AT_FDCWD, "outside") < 0 ||
			       tree_remove(AT_FDCWD, "scratch") < 0
		       ? -1
		       : 0;
}

#define assert_ok(expression)                                                        \
	do {                                                                         \
		int r_ = (expression);                                               \
		if (r_ < 0)                                                          \
			fail_msg("%s: %d, %s", #expression, r_, lb_context_error(ctx)); \
	} while (0)

static enum transaction_state state_of(void)
{
	enum transaction_state state = TRANSACTION_NONE;

	assert_ok(transaction_get_state(ctx, container_fd, NAME, &state));
	return state;
}

static struct transaction *begin_transaction(void)
{
	struct transaction *transaction = NULL;

	assert_ok(transaction_begin(ctx, container_fd, NAME, &transaction));
	transaction_set_below(transaction, base_fd);
	return transaction;
}

static const struct stat like = {
	.st_mode = S_IFREG | 0604,
	.st_uid = 33,
	.st_gid = 34,
	.st_atim = { .tv_sec = 500 },
	.st_mtim = { .tv_sec = 501, .tv_nsec = 502 },
};

static int put_text(struct transaction *transaction, const char *path, const char *text)
{
	return transaction_put_data(transaction, path, text, strlen(text), &like, -1);
}

/* All kinds of operations, and such as meet on one path. For a child, too: so no assertions. */
static int prepare_first(struct transaction *transaction)
{
	int r = transaction_drop(transaction, "etc/passwd");

	r = r < 0 ? r : transaction_drop(transaction, "etc/motd");
	r = r < 0 ? r : put_text(transaction, "etc/issue", "issue");
	r = r < 0 ? r : put_text(transaction, "etc/shadow", "shadow");
	r = r < 0 ? r : put_text(transaction, "usr/share/doc/own/text", "text");
	r = r < 0 ? r : transaction_put_copy(transaction, "usr/tool", base_fd, "usr/tool", NULL);
	r = r < 0 ? r : transaction_put_copy(transaction, "dev/null", base_fd, "dev/null", NULL);
	r = r < 0 ? r : transaction_put_copy(transaction, "lib", base_fd, "lib", NULL);
	r = r < 0 ? r : transaction_put_whiteout(transaction, "var/lib/gone");
	r = r < 0 ? r : transaction_put_entry(transaction, "srv", AT_FDCWD, "scratch");
	r = r < 0 ? r : put_text(transaction, "srv/inside/more", "more");
	r = r < 0 ? r : put_text(transaction, "var/lib/thing/early", "dropped again with its directory");
	r = r < 0 ? r : transaction_drop(transaction, "var/lib/thing");
	r = r < 0 ? r : put_text(transaction, "var/lib/thing/deep/new", "in a directory of the same name");
	r = r < 0 ? r : transaction_drop(transaction, "var/odd \\ name\n");
	r = r < 0 ? r : transaction_set_attributes(transaction, "etc", &like);
	return r < 0 ? r : transaction_set_attributes(transaction, ".", &like);
}

/* On what the first has done. */
static int prepare_second(struct transaction *transaction)
{
	int r = put_text(transaction, "etc/issue", "issue again");

	r = r < 0 ? r : put_text(transaction, "etc/passwd", "passwd");
	r = r < 0 ? r : transaction_drop(transaction, "usr/share/doc/own/text");
	r = r < 0 ? r : transaction_drop(transaction, "srv/inside/more");
	r = r < 0 ? r : put_text(transaction, "var/lib/thing/deep/newer", "newer");
	r = r < 0 ? r : transaction_drop(transaction, "var/fifo");
	return r < 0 ? r : transaction_set_attributes(transaction, "usr/share", &like);
}

static void make_scratch(void)
{
	make_directory("scratch/inside");
	put_file("scratch/inside/file", "file");
	age("scratch/inside", 7000);
	age("scratch", 8000);
}

static struct transaction *commit_both(void)
{
	struct transaction *transaction;

	make_scratch();
	transaction = begin_transaction();
	assert_ok(prepare_first(transaction));
	assert_ok(transaction_commit(transaction));
	assert_ok(prepare_second(transaction));
	assert_ok(transaction_commit(transaction));
	return transaction;
}

static void assert_text(const char *path, const char *expected)
{
	char text[256] = "";
	int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		fail_msg("%s is not there", path);
	assert_true(read(fd, text, sizeof text - 1) >= 0);
	close(fd);
	assert_string_equal(text, expected);
}

static void assert_attributes(const char *path, mode_t mode, uid_t uid, gid_t gid, long mtime)
{
	struct stat st;

	assert_int_equal(lstat(path, &st), 0);
	assert_int_equal(st.st_mode, mode);
	assert_int_equal(st.st_uid, uid);
	assert_int_equal(st.st_gid, gid);
	if (mtime)
		assert_int_equal(st.st_mtim.tv_sec, mtime);
}

/* ---- what the operations do ---- */

static void test_operations(void **state)
{
	struct transaction *transaction;
	char value[16];
	struct stat st;

	(void)state;
	make_scratch();
	transaction = begin_transaction();
	assert_int_equal(state_of(), TRANSACTION_BEGUN);
	assert_ok(prepare_first(transaction));
	assert_int_equal(state_of(), TRANSACTION_BEGUN);
	assert_text(TOP "etc/passwd", "root:x\n");
	assert_false(exists(TOP "usr"));
	assert_ok(transaction_commit(transaction));
	assert_int_equal(state_of(), TRANSACTION_SWITCHED);
	assert_false(exists(TOP "etc/passwd"));
	assert_false(exists(TOP "etc/motd"));
	assert_text(TOP "etc/issue", "issue");
	assert_attributes(TOP "etc/issue", S_IFREG | 0604, 33, 34, 501);
	assert_text(TOP "usr/tool", "tool");
	assert_attributes(TOP "usr/tool", S_IFREG | 04755, 7, 8, 70);
	assert_attributes(TOP "usr", S_IFDIR | 0755, 0, 0, 100);
	assert_attributes(TOP "usr/share", S_IFDIR | 02751, 5, 6, 90);
	assert_attributes(TOP "usr/share/doc", S_IFDIR | 0755, 0, 0, 80);
	assert_attributes(TOP "usr/share/doc/own", S_IFDIR | 0755, 0, 0, 0);
	assert_int_equal(getxattr(TOP "usr/share", "trusted.kept", value, sizeof value), 3);
	assert_true(getxattr(TOP "usr/share", "trusted.overlay.impure", value, sizeof value) < 0);
	assert_true(getxattr(TOP "usr/share", "trusted.overlay.opaque", value, sizeof value) < 0);
	assert_int_equal(lstat(TOP "dev/null", &st), 0);
	assert_true(S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3));
	assert_int_equal(lstat(TOP "var/lib/gone", &st), 0);
	assert_true(S_ISCHR(st.st_mode) && st.st_rdev == 0);
	assert_int_equal(lstat(TOP "lib", &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_text(TOP "srv/inside/file", "file");
	assert_text(TOP "srv/inside/more", "more");
	assert_text(TOP "var/lib/thing/deep/new", "in a directory of the same name");
	assert_false(exists(TOP "var/lib/thing/data"));
	assert_true(getxattr(TOP "var/lib/thing", "trusted.overlay.opaque", value, sizeof value) < 0);
	assert_attributes(TOP "etc", S_IFDIR | 0604, 33, 34, 501);
	assert_attributes(TOP ".", S_IFDIR | 0604, 33, 34, 501);
	transaction_end(transaction);
	assert_int_equal(state_of(), TRANSACTION_SWITCHED);
	assert_int_equal(transaction_begin(ctx, container_fd, NAME, &transaction), -LB_ERR_BUSY);
	assert_ok(transaction_confirm(ctx, container_fd, NAME));
	assert_false(exists("c/rebase"));
	assert_text(TOP "etc/issue", "issue");
	assert_int_equal(transaction_confirm(ctx, container_fd, NAME), 1);
	assert_int_equal(transaction_undo(ctx, container_fd, NAME), 1);
}

static void test_undo(void **state)
{
	CLEANUP_FREE char *before = dump("c/rootfs-layer");
	struct transaction *transaction = commit_both();

	(void)state;
	assert_text(TOP "etc/issue", "issue again");
	assert_text(TOP "srv/inside/file", "file");
	assert_false(exists(TOP "srv/inside/more"));
	transaction_end(transaction);
	assert_ok(transaction_undo(ctx, container_fd, NAME));
	assert_unchanged(before);
	assert_false(exists("c/rebase"));
	assert_int_equal(state_of(), TRANSACTION_NONE);
}

static void test_end_without_commit(void **state)
{
	CLEANUP_FREE char *before = dump("c/rootfs-layer");
	struct transaction *transaction = begin_transaction();

	(void)state;
	make_scratch();
	assert_ok(prepare_first(transaction));
	transaction_end(transaction);
	assert_unchanged(before);
	assert_false(exists("c/rebase"));
	/* Killed there, it is swept by the next. */
	make_scratch();
	transaction = begin_transaction();
	assert_ok(prepare_first(transaction));
	if (fork_mortal() == 0)
		_exit(0);
	wait(NULL);
	assert_int_equal(state_of(), TRANSACTION_BEGUN);
	assert_ok(transaction_confirm(ctx, container_fd, NAME));
	assert_false(exists("c/rebase"));
	transaction_end(transaction);
	assert_unchanged(before);
}

static void test_second_batch_given_up(void **state)
{
	CLEANUP_FREE char *before = dump("c/rootfs-layer");
	struct transaction *transaction;
	CLEANUP_FREE char *first = NULL;

	(void)state;
	make_scratch();
	transaction = begin_transaction();
	assert_ok(prepare_first(transaction));
	assert_ok(transaction_commit(transaction));
	first = dump("c/rootfs-layer");
	assert_ok(prepare_second(transaction));
	transaction_end(transaction);
	assert_unchanged(first);
	assert_ok(transaction_undo(ctx, container_fd, NAME));
	assert_unchanged(before);
}

/* ---- refusals ---- */

static void test_bad_paths(void **state)
{
	static const char *const paths[] = { "", "/", "/etc/x", "..", "../x", "etc/../../x", "etc/./x", "etc//x", "etc/x/", "." };
	CLEANUP_FREE char *before = dump("c/rootfs-layer");
	struct transaction *transaction = begin_transaction();

	(void)state;
	for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
		assert_int_equal(put_text(transaction, paths[i], "x"), -EINVAL);
		assert_int_equal(transaction_drop(transaction, paths[i]), -EINVAL);
		assert_int_equal(transaction_put_copy(transaction, "ok", base_fd, paths[i], NULL), -EINVAL);
	}
	assert_int_equal(transaction_drop(transaction, "etc/nothing"), -ENOENT);
	assert_contains(lb_context_error(ctx), "cannot drop 'etc/nothing' in the top layer of container 'c'");
	assert_int_equal(transaction_drop(transaction, "no/thing"), -ENOENT);
	assert_int_equal(put_text(transaction, "etc/shadow/x", "x"), -ENOTDIR);
	assert_int_equal(put_text(transaction, "etc/motd/x", "x"), -ENOTDIR);
	assert_int_equal(put_text(transaction, "lib/x", "x"), -ENOTDIR);
	assert_int_equal(transaction_set_attributes(transaction, "etc/shadow", &like), -ENOTDIR);
	assert_int_equal(transaction_set_attributes(transaction, "no", &like), -ENOENT);
	assert_ok(put_text(transaction, "file", "x"));
	assert_int_equal(put_text(transaction, "file/x", "x"), -ENOTDIR);
	assert_ok(transaction_drop(transaction, "file"));
	assert_int_equal(transaction_drop(transaction, "file"), -ENOENT);
	transaction_end(transaction);
	assert_unchanged(before);
}

static void test_hostile_links(void **state)
{
	CLEANUP_FREE char *before = dump("c/rootfs-layer"), *outside = dump("outside"), *after = NULL;
	struct transaction *transaction = begin_transaction();

	(void)state;
	assert_int_equal(put_text(transaction, "evil/new", "x"), -ENOTDIR);
	assert_int_equal(put_text(transaction, "evil/kept", "x"), -ENOTDIR);
	assert_int_equal(transaction_drop(transaction, "evil/kept"), -ENOTDIR);
	assert_int_equal(transaction_put_whiteout(transaction, "evil/a/b"), -ENOTDIR);
	assert_int_equal(transaction_set_attributes(transaction, "evil", &like), -ENOTDIR);
	assert_true(transaction_put_copy(transaction, "copy", container_fd, "rootfs-layer/evil/kept", NULL) < 0);
	/* The link as such may go. */
	assert_ok(transaction_drop(transaction, "evil"));
	assert_ok(put_text(transaction, "evil/new", "x"));
	assert_ok(transaction_commit(transaction));
	transaction_end(transaction);
	assert_text(TOP "evil/new", "x");
	assert_ok(transaction_undo(ctx, container_fd, NAME));
	assert_unchanged(before);
	after = dump("outside");
	assert_string_equal(after, outside);
}

static void test_another_file_system(void **state)
{
	struct transaction *transaction;

	(void)state;
	need_root();
	assert_int_equal(mount("tmpfs", "c/rootfs-layer", "tmpfs", 0, NULL), 0);
	assert_int_equal(transaction_begin(ctx, container_fd, NAME, &transaction), -EXDEV);
	assert_contains(lb_context_error(ctx), "on another file system");
	assert_int_equal(umount("c/rootfs-layer"), 0);
}

/* ---- the container has run in between ---- */

static void run_container(void)
{
	put_file(TOP "etc/issue", "changed by the container");
	assert_int_equal(unlink(TOP "etc/shadow"), 0);
	assert_int_equal(mknod(TOP "etc/shadow", S_IFCHR, 0), 0);
	put_file(TOP "usr/share/doc/own/note", "the container's note");
	assert_int_equal(unlink(TOP "usr/tool"), 0);
	make_directory(TOP "usr/tool/box");
	put_file(TOP "usr/tool/box/file", "tool");
	put_file(TOP "var/fifo", "a file now");
	put_file(TOP "srv/inside/file", "changed in a directory that was taken over as a whole");
}

static void assert_kept(void)
{
	assert_text("c/rebase/undone/etc/issue", "changed by the container");
	assert_text("c/rebase/undone/usr/share/doc/own/note", "the container's note");
	assert_text("c/rebase/undone/usr/tool/box/file", "tool");
	assert_text("c/rebase/undone/var/fifo", "a file now");
	assert_text("c/rebase/undone/srv/inside/file", "changed in a directory that was taken over as a whole");
	assert_false(exists("c/rebase/undone/srv/inside/more"));
	assert_false(exists("c/rebase/undone/etc/shadow"));
	assert_false(exists("c/rebase/undone/etc/passwd"));
	assert_false(exists("c/rebase/undone/dev"));
}

static void test_undo_keeps_what_was_changed(void **state)
{
	CLEANUP_FREE char *before = dump("c/rootfs-layer");

	(void)state;
	transaction_end(commit_both());
	run_container();
	assert_ok(transaction_undo(ctx, container_fd, NAME));
	assert_unchanged(before);
	assert_kept();
	assert_int_equal(state_of(), TRANSACTION_NONE);
	assert_int_equal(transaction_confirm(ctx, container_fd, NAME), 1);
	assert_kept();
	/* Until the next one. */
	transaction_end(commit_both());
	assert_false(exists("c/rebase/undone"));
	assert_ok(transaction_undo(ctx, container_fd, NAME));
	assert_false(exists("c/rebase"));
}

/* Directories that something has to come back into are gone, or are others, or lead out. */
static void test_undo_where_directories_are_gone(void **state)
{
	CLEANUP_FREE char *outside = dump("outside"), *after = NULL;
	struct transaction *transaction = begin_transaction();
	char value[2];

	(void)state;
	assert_int_equal(chmod(TOP "var/lib/thing", 0710), 0);
	assert_ok(transaction_drop(transaction, "var/lib/thing/deep/data"));
	assert_ok(transaction_drop(transaction, "etc/passwd"));
	assert_ok(put_text(transaction, "etc/shadow", "x"));
	assert_ok(put_text(transaction, "var/new", "x"));
	assert_ok(transaction_commit(transaction));
	transaction_end(transaction);
	assert_int_equal(tree_remove(AT_FDCWD, TOP "etc"), 0);
	assert_int_equal(symlink("../../outside", TOP "etc"), 0);
	assert_int_equal(tree_remove(AT_FDCWD, TOP "var/lib"), 0);
	assert_int_equal(mknod(TOP "var/lib", S_IFCHR, 0), 0);
	assert_int_equal(unlink(TOP "var/new"), 0);
	assert_ok(transaction_undo(ctx, container_fd, NAME));
	assert_text(TOP "etc/passwd", "root:x\n");
	assert_text(TOP "etc/shadow", "root:!\n");
	assert_int_equal(getxattr(TOP "etc", "trusted.overlay.opaque", value, sizeof value), 1);
	assert_text(TOP "var/lib/thing/deep/data", "deep");
	assert_int_equal(getxattr(TOP "var/lib", "trusted.overlay.opaque", value, sizeof value), 1);
	assert_attributes(TOP "var/lib/thing", S_IFDIR | 0710, 0, 0, 0);
	assert_true(exists("c/rebase/undone/etc"));
	assert_false(exists("c/rebase/undone/var"));
	after = dump("outside");
	assert_string_equal(after, outside);
}

/* ---- killed ---- */

enum { NOT_KILLED = 1 << 30 };

/* Runs @act in a child that is killed at its @stop'th entry to or return from a system call; false: it was done before. */
static bool run_killed(int (*act)(void), int stop)
{
	pid_t child = fork_mortal();
	int status = 0;

	if (child == 0) {
		ptrace(PTRACE_TRACEME, 0, NULL, NULL);
		raise(SIGSTOP);
		_exit(act() < 0);
	}
	assert_true(child > 0);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSTOPPED(status));
	for (int i = 0; i < stop; i++) {
		assert_int_equal(ptrace(PTRACE_SYSCALL, child, NULL, NULL), 0);
		assert_int_equal(waitpid(child, &status, 0), child);
		if (WIFEXITED(status)) {
			assert_int_equal(WEXITSTATUS(status), 0);
			return false;
		}
	}
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(end_of(child), 128 + SIGKILL);
	return true;
}

static int act_both(void)
{
	struct transaction *prepared;
	int r = transaction_begin(ctx, container_fd, NAME, &prepared);

	if (r < 0)
		return r;
	transaction_set_below(prepared, base_fd);
	r = prepare_first(prepared);
	r = r < 0 ? r : transaction_commit(prepared);
	r = r < 0 ? r : prepare_second(prepared);
	r = r < 0 ? r : transaction_commit(prepared);
	transaction_end(prepared);
	return r;
}

static int act_undo(void)
{
	return transaction_undo(ctx, container_fd, NAME);
}

static int act_confirm(void)
{
	return transaction_confirm(ctx, container_fd, NAME);
}

static void put_back(const char *before)
{
	if (state_of() == TRANSACTION_SWITCHED)
		assert_ok(transaction_undo(ctx, container_fd, NAME));
	else
		assert_true(transaction_confirm(ctx, container_fd, NAME) >= 0);
	assert_false(exists("c/rebase/journal"));
	assert_false(exists("c/rebase/new"));
	assert_unchanged(before);
	assert_int_equal(tree_remove(AT_FDCWD, "scratch"), 0);
	assert_int_equal(state_of(), TRANSACTION_NONE);
}

/*
 * From one place where it is killed to the next: each of them takes a minute, so `make check` takes every so manieth, and
 * begins at another one each day; LAYERBOX_TEST_EVERY_STOP=yes takes all.
 */
enum { STRIDE = 17 };

static int stride(void)
{
	return getenv("LAYERBOX_TEST_EVERY_STOP") ? 1 : STRIDE;
}

static int first_stop(void)
{
	return getenv("LAYERBOX_TEST_EVERY_STOP") ? 1 : 1 + (int)(time(NULL) / 86400 % STRIDE);
}

static void test_kill_everywhere(void **state)
{
	CLEANUP_FREE char *before = dump("c/rootfs-layer");
	int stop = first_stop();
	bool killed = true;

	(void)state;
	while (killed) {
		make_scratch();
		killed = run_killed(act_both, stop);
		stop += stride();
		put_back(before);
		assert_false(exists("c/rebase"));
	}
	print_message("# killed at places up to %d of two commits\n", stop);
	assert_true(stop > 300);
}

static void test_kill_undo_everywhere(void **state)
{
	CLEANUP_FREE char *before = dump("c/rootfs-layer");
	int stop = first_stop();
	bool killed = true;

	(void)state;
	while (killed) {
		make_scratch();
		assert_int_equal(run_killed(act_both, NOT_KILLED), false);
		run_container();
		killed = run_killed(act_undo, stop);
		if (killed && state_of() == TRANSACTION_SWITCHED)
			run_killed(act_undo, stop / 2);
		stop += stride();
		put_back(before);
		assert_kept();
		assert_int_equal(tree_remove(AT_FDCWD, "c/rebase"), 0);
	}
	print_message("# killed at places up to %d of an undo\n", stop);
	assert_true(stop > 200);
}

static void test_kill_confirm_everywhere(void **state)
{
	int stop = first_stop();
	bool killed = true;

	(void)state;
	while (killed) {
		CLEANUP_FREE char *after = NULL;

		make_scratch();
		assert_int_equal(run_killed(act_both, NOT_KILLED), false);
		after = dump("c/rootfs-layer");
		killed = run_killed(act_confirm, stop);
		stop += stride();
		assert_true(transaction_confirm(ctx, container_fd, NAME) >= 0);
		assert_false(exists("c/rebase"));
		assert_unchanged(after);
		end(NULL);
		begin(NULL);
	}
	assert_true(stop > 50);
}

/* ---- failures ---- */

/* Each call that can fail does so once. */
static void test_fail_everywhere(void **state)
{
	CLEANUP_FREE char *before = dump("c/rootfs-layer");
	int at = 0;
	bool failed = true;

	(void)state;
	for (; failed; at++) {
		struct transaction *transaction;
		int r;

		make_scratch();
		transaction = begin_transaction();
		assert_ok(prepare_first(transaction));
		calls = 0;
		fail_at = at;
		r = transaction_commit(transaction);
		if (r == 0) {
			r = prepare_second(transaction);
			r = r < 0 ? r : transaction_commit(transaction);
		}
		fail_at = -1;
		failed = calls > at;
		if (failed) {
			assert_int_equal(r, -ENOSPC);
			assert_contains(lb_context_error(ctx), "No space left on device");
			assert_int_equal(transaction_commit(transaction), -EINVAL);
			assert_int_equal(put_text(transaction, "x", "x"), -EINVAL);
			assert_unchanged(before);
			assert_false(exists("c/rebase"));
		}
		transaction_end(transaction);
		put_back(before);
	}
	print_message("# failed at %d places\n", at - 1);
	assert_true(at > 50);
}

static void fill(const char *path)
{
	static const char block[4096] = "full";
	int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);

	while (write(fd, block, sizeof block) > 0)
		;
	assert_int_equal(errno, ENOSPC);
	close(fd);
}

static void test_full_disk(void **state)
{
	CLEANUP_FREE char *before = NULL, *much = calloc(1, 1 << 20);
	struct transaction *transaction;

	(void)state;
	need_root();
	end(NULL);
	assert_int_equal(mkdir("small", 0755), 0);
	assert_int_equal(mount("tmpfs", "small", "tmpfs", 0, "size=512k"), 0);
	assert_int_equal(chdir("small"), 0);
	begin(NULL);
	before = dump("c/rootfs-layer");
	transaction = begin_transaction();
	assert_int_equal(transaction_put_data(transaction, "etc/much", much, 1 << 20, &like, -1), -ENOSPC);
	assert_contains(lb_context_error(ctx), "cannot prepare the file 'etc/much' in the top layer of container 'c': No space");
	transaction_end(transaction);
	assert_false(exists("c/rebase"));
	assert_unchanged(before);
	make_scratch();
	transaction = begin_transaction();
	assert_ok(prepare_first(transaction));
	fill("full");
	assert_int_equal(transaction_commit(transaction), -ENOSPC);
	assert_contains(lb_context_error(ctx), "cannot write the journal of the rebase of container 'c': No space");
	transaction_end(transaction);
	assert_false(exists("c/rebase"));
	assert_unchanged(before);
	/* And an undo needs none. */
	assert_int_equal(unlink("full"), 0);
	transaction_end(commit_both());
	fill("full");
	assert_ok(transaction_undo(ctx, container_fd, NAME));
	assert_unchanged(before);
	end(NULL);
	assert_int_equal(chdir(".."), 0);
	assert_int_equal(umount2("small", MNT_DETACH), 0);
	begin(NULL);
}

static void test_damaged_journal(void **state)
{
	struct transaction *transaction = commit_both();

	(void)state;
	transaction_end(transaction);
	assert_int_equal(truncate("c/rebase/journal", 400), 0);
	assert_int_equal(transaction_undo(ctx, container_fd, NAME), -LB_ERR_DAMAGED);
	assert_contains(lb_context_error(ctx), "rebase/journal of container 'c' is damaged");
	assert_true(exists("c/rebase/undo"));
}

/* ---- many ---- */

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return (double)time.tv_sec * 1000 + (double)time.tv_nsec / 1e6;
}

static void test_many(void **state)
{
	CLEANUP_FREE char *before = NULL;
	struct transaction *transaction;
	double start, switched;
	char path[64];

	(void)state;
	for (int i = 0; i < 2500; i++) {
		snprintf(path, sizeof path, TOP "many/%d/%d", i % 50, i % 7);
		make_directory(path);
		snprintf(path, sizeof path, TOP "many/%d/%d/%d", i % 50, i % 7, i);
		put_file(path, "old");
	}
	before = dump("c/rootfs-layer");
	transaction = begin_transaction();
	start = now();
	for (int i = 0; i < 5000; i++) {
		snprintf(path, sizeof path, "many/%d/%d/%d", i % 50, i % 7, i);
		assert_ok(i % 3 || i >= 2500 ? put_text(transaction, path, "new") : transaction_drop(transaction, path));
	}
	switched = now();
	assert_ok(transaction_commit(transaction));
	print_message("# 5000 operations: prepared in %.0f ms, committed in %.0f ms\n", switched - start, now() - switched);
	assert_false(exists(TOP "many/0/0/0"));
	assert_text(TOP "many/49/1/4999", "new");
	transaction_end(transaction);
	start = now();
	assert_ok(transaction_undo(ctx, container_fd, NAME));
	print_message("# undone in %.0f ms\n", now() - start);
	assert_unchanged(before);
}

static int enter(void **state)
{
	return scratch_enter(state) < 0 || lb_context_new(NULL, &ctx) < 0 ? -1 : 0;
}

static int leave(void **state)
{
	lb_context_free(ctx);
	return scratch_leave(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(test_operations),
		TEST(test_undo),
		TEST(test_end_without_commit),
		TEST(test_second_batch_given_up),
		TEST(test_bad_paths),
		TEST(test_hostile_links),
		TEST(test_another_file_system),
		TEST(test_undo_keeps_what_was_changed),
		TEST(test_undo_where_directories_are_gone),
		TEST(test_kill_everywhere),
		TEST(test_kill_undo_everywhere),
		TEST(test_kill_confirm_everywhere),
		TEST(test_fail_everywhere),
		TEST(test_full_disk),
		TEST(test_damaged_journal),
		TEST(test_many),
	};

	return cmocka_run_group_tests_name("transaction", tests, enter, leave);
}
