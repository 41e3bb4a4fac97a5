/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Layers of OCI images: what comes back as it was, what whiteouts hide, what is refused; and the documents about them. */
#include "unit.h"

#include <archive.h>
#include <archive_entry.h>
#include <jansson.h>
#include <sys/xattr.h>

#include "../../libexec/oci-apply.h"
#include "../../libexec/oci-image.h"
#include "../../libexec/oci-json.h"
#include "../../libexec/oci-name.h"
#include "../../liblayerbox/adapters/digest.h"
#include "../../liblayerbox/util/file.h"

enum { ID_MAX = 65535 };

static struct oci_error error;
static struct oci_layout layout;
static int home_fd; /* applying a layer moves the working directory */

static int open_dir(const char *path)
{
	int fd = openat(home_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	assert_true(fd >= 0);
	return fd;
}

static int begin(void **state)
{
	static const char *const names[] = { "a", "b", "to", "image" };

	(void)state;
	if (fchdir(home_fd) < 0)
		return -1;
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (tree_remove(home_fd, names[i]) < 0)
			return -1;
	error.text[0] = '\0';
	if (mkdir("a", 0755) < 0 || mkdir("b", 0755) < 0 || mkdir("to", 0755) < 0)
		return -1;
	return oci_layout_make("image", &error, &layout);
}

static int end(void **state)
{
	(void)state;
	oci_layout_close(&layout);
	return 0;
}

/* ---- names ---- */

static void name_is(const char *name, enum oci_name_kind kind, const char *path, const char *directory, const char *rest)
{
	struct oci_name parsed;

	assert_null(oci_name_read(name, &parsed));
	assert_int_equal(parsed.kind, kind);
	assert_string_equal(parsed.path, path);
	if (directory)
		assert_string_equal(parsed.directory, directory);
	if (rest)
		assert_string_equal(parsed.rest, rest);
	oci_name_free(&parsed);
}

static void test_names(void **state)
{
	static const char *const refused[] = { "/etc/passwd", "/",	  "..",		 "a/../b",	"../x",	      "a/..",
					       ".wh.",	      "a/.wh.",	  ".wh..",	 "a/.wh...",	".wh..wh..",  ".wh..wh.x",
					       ".wh.a/b",     ".wh..wh..opq/x", ".wh.a/.wh.b", "a/.wh./x", ".wh..wh.plnk/1" };

	(void)state;
	name_is("etc/passwd", OCI_NAME_ENTRY, "etc/passwd", NULL, NULL);
	name_is("./", OCI_NAME_ENTRY, "", NULL, NULL);
	name_is(".//etc/./x//", OCI_NAME_ENTRY, "etc/x", NULL, NULL);
	name_is("..a/b..", OCI_NAME_ENTRY, "..a/b..", NULL, NULL);
	name_is(".wha", OCI_NAME_ENTRY, ".wha", NULL, NULL);
	name_is("./etc/.wh.passwd", OCI_NAME_WHITEOUT, "etc/.wh.passwd", "etc", "passwd");
	name_is(".wh.x", OCI_NAME_WHITEOUT, ".wh.x", "", "x");
	name_is(".wh.x/", OCI_NAME_WHITEOUT, ".wh.x", "", "x");
	name_is(".wh....", OCI_NAME_WHITEOUT, ".wh....", "", "...");
	name_is("a/b/.wh..wh..opq", OCI_NAME_OPAQUE, "a/b/.wh..wh..opq", "a/b", NULL);
	name_is(".wh..wh..opq", OCI_NAME_OPAQUE, ".wh..wh..opq", "", NULL);
	for (size_t i = 0; i < sizeof refused / sizeof *refused; i++) {
		struct oci_name parsed;

		if (!oci_name_read(refused[i], &parsed))
			fail_msg("%s is not refused", refused[i]);
		oci_name_free(&parsed);
	}
}

/* ---- from trees, and back ---- */

static struct oci_layer pack(const char *tree, const char *below)
{
	struct oci_layer layer;
	int fd = open_dir(tree), below_fd = below ? open_dir(below) : -1;

	if (oci_layer_write(&layout, fd, below_fd, &layer) < 0)
		fail_msg("%s", error.text);
	close(fd);
	close(below_fd);
	return layer;
}

static uint64_t entries_left = OCI_ENTRIES_MAX;

static int try_apply(const struct oci_layer *layer, enum oci_compression compression)
{
	int fd = open_dir("to"), r = oci_layer_apply(&layout, layer, compression, ID_MAX, fd, &entries_left);

	close(fd);
	assert_int_equal(fchdir(home_fd), 0);
	return r;
}

static void apply(const struct oci_layer *layer)
{
	if (try_apply(layer, OCI_GZIP) < 0)
		fail_msg("%s", error.text);
}

static void text_is(const char *path, const char *expected)
{
	char *text;

	assert_int_equal(file_read(AT_FDCWD, path, 1000, &text, NULL), 0);
	assert_string_equal(text, expected);
	free(text);
}

static void whiteout(const char *path)
{
	assert_int_equal(mknod(path, S_IFCHR, 0), 0);
}

static void opaque(const char *path)
{
	assert_int_equal(setxattr(path, "trusted.overlay.opaque", "y", 1, 0), 0);
}

static void set_time(const char *path, time_t seconds, long nanoseconds)
{
	const struct timespec time = { .tv_sec = seconds, .tv_nsec = nanoseconds }, times[] = { time, time };

	assert_int_equal(utimensat(AT_FDCWD, path, times, AT_SYMLINK_NOFOLLOW), 0);
}

static const char capability[] = "\1\0\0\2\0\40\0\0\0\0\0\0\0\0\0\0\0\0\0";

/* user::rw-, user:1000:rwx, group::r--, mask::rwx, other::--- */
static const unsigned char acl[] = { 2, 0, 0, 0, 1,  0, 6, 0, 255, 255, 255, 255, 2,  0, 7, 0, 232, 3,	 0,   0,   4, 0,
				     4, 0, 255, 255, 255, 255, 16, 0, 7,   0,	255, 255, 255, 255, 32, 0, 0, 0, 255, 255,
				     255, 255 };

static void test_round_trip(void **state)
{
	struct stat before, after;
	struct oci_layer layer;
	char value[100];

	(void)state;
	need_root();
	put_file("a/plain", "text");
	assert_int_equal(chown("a/plain", 33, 44), 0);
	assert_int_equal(chmod("a/plain", 06711), 0);
	assert_int_equal(setxattr("a/plain", "security.capability", capability, 20, 0), 0);
	assert_int_equal(link("a/plain", "a/second"), 0);
	assert_int_equal(symlink("/nowhere", "a/link"), 0);
	assert_int_equal(mkfifo("a/fifo", 0640), 0);
	assert_int_equal(mkdir("a/locked", 0), 0);
	assert_int_equal(mkdir("a/acl", 0750), 0);
	assert_int_equal(setxattr("a/acl", "system.posix_acl_access", acl, sizeof acl, 0), 0);
	assert_int_equal(setxattr("a/acl", "system.posix_acl_default", acl, sizeof acl, 0), 0);
	put_file("a/acl/below", "");
	assert_int_equal(removexattr("a/acl/below", "system.posix_acl_access"), 0);
	put_file("a/bytes-\xe9", "not UTF-8");
	put_file("a/\xc3\xa9", "UTF-8");
	opaque("a/locked");
	whiteout("a/nothing");
	set_time("a/plain", 1600000000, 123456789);
	set_time("a/link", 1500000000, 5);
	set_time("a", 1400000000, 7);
	layer = pack("a", NULL);
	apply(&layer);
	assert_int_equal(stat("a/plain", &before), 0);
	assert_int_equal(stat("to/plain", &after), 0);
	assert_int_equal(after.st_uid, 33);
	assert_int_equal(after.st_gid, 44);
	assert_int_equal(after.st_mode, before.st_mode);
	assert_int_equal(after.st_nlink, 2);
	assert_memory_equal(&after.st_mtim, &before.st_mtim, sizeof after.st_mtim);
	assert_int_equal(getxattr("to/plain", "security.capability", value, sizeof value), 20);
	assert_int_equal(lstat("to/link", &after), 0);
	assert_int_equal(after.st_mtim.tv_sec, 1500000000);
	assert_int_equal(stat("to", &after), 0);
	assert_int_equal(after.st_mtim.tv_sec, 1400000000);
	assert_int_equal(after.st_mtim.tv_nsec, 7);
	assert_int_equal(lstat("to/fifo", &after), 0);
	assert_true(S_ISFIFO(after.st_mode));
	assert_int_equal(stat("to/locked", &after), 0);
	assert_int_equal(after.st_mode & 07777, 0);
	assert_true(getxattr("to/locked", "trusted.overlay.opaque", value, sizeof value) < 0);
	assert_int_equal(getxattr("to/acl", "system.posix_acl_access", value, sizeof value), sizeof acl);
	assert_memory_equal(value, acl, sizeof acl);
	assert_int_equal(getxattr("to/acl", "system.posix_acl_default", value, sizeof value), sizeof acl);
	assert_true(getxattr("to/acl/below", "system.posix_acl_access", value, sizeof value) < 0);
	assert_true(exists("to/bytes-\xe9") && exists("to/\xc3\xa9"));
	assert_false(exists("to/nothing"));
	assert_false(exists("to/.wh.nothing"));
}

static void test_same_bytes(void **state)
{
	struct oci_layer first, second;

	(void)state;
	need_root();
	for (int i = 0; i < 50; i++) {
		char path[32];

		snprintf(path, sizeof path, "a/%d", i * 7919 % 50);
		put_file(path, path);
		snprintf(path, sizeof path, "a/d%d", i * 7919 % 50);
		assert_int_equal(mkdir(path, 0755), 0);
	}
	first = pack("a", NULL);
	assert_int_equal(link("a/7", "b/elsewhere"), 0); /* as a generation has files of the one before */
	second = pack("a", NULL);
	assert_string_equal(first.blob.digest, second.blob.digest);
	assert_string_equal(first.diff_id, second.diff_id);
	assert_true(oci_blob_is_good(&layout, &first.blob));
	put_file("a/7", "other");
	second = pack("a", NULL);
	assert_string_not_equal(first.blob.digest, second.blob.digest);
}

/* The names in a layer, in their order. */
static char *names_in(const struct oci_layer *layer)
{
	struct oci_layer_reader reader;
	struct buffer text = { 0 };
	struct archive_entry *entry;

	assert_int_equal(oci_layer_reader_begin(&layout, layer, OCI_GZIP, &reader), 0);
	while (archive_read_next_header(reader.tar, &entry) == ARCHIVE_OK)
		buffer_format(&text, "%s%s", text.length ? " " : "", archive_entry_pathname(entry));
	assert_int_equal(oci_layer_reader_finish(&reader), 0);
	oci_layer_reader_end(&reader);
	return buffer_finish(&text);
}

static void test_layer_over_layer(void **state)
{
	struct oci_layer lower, upper;
	CLEANUP_FREE char *names = NULL;
	struct stat st;

	(void)state;
	need_root();
	assert_int_equal(mkdir("a/dir", 0755) | mkdir("a/dir/sub", 0755) | mkdir("a/old", 0755) | mkdir("a/deep", 0755), 0);
	put_file("a/dir/gone", "");
	put_file("a/dir/sub/kept", "lower");
	put_file("a/old/inside", "lower");
	put_file("a/deep/x", "");
	put_file("a/file", "lower");
	assert_int_equal(link("a/file", "a/other-name"), 0);
	assert_int_equal(symlink("dir", "a/link"), 0);
	assert_int_equal(setxattr("a/dir", "security.capability", capability, 20, 0), 0);
	assert_int_equal(mkdir("b/dir", 0711) | mkdir("b/old", 0755) | mkdir("b/link", 0755) | mkdir("b/file", 0755), 0);
	whiteout("b/dir/gone");
	whiteout("b/dir/never-was");
	whiteout("b/deep");
	put_file("b/old/new", "upper");
	put_file("b/link/in-it", "upper");
	opaque("b/old");
	opaque("b/link");
	opaque("b/file");
	whiteout("b/old/inside"); /* as two layers merged have it */
	set_time("b/dir", 1600000000, 99);
	lower = pack("a", NULL);
	upper = pack("b", "a");
	names = names_in(&upper);
	/* Marks stand before what is beside them, and there are none that hide nothing. */
	assert_string_equal(names, "./ .wh.deep dir/ file/ link/ old/ dir/.wh.gone link/in-it "
				   "old/.wh..wh..opq old/new");
	apply(&lower);
	apply(&upper);
	assert_false(exists("to/dir/gone"));
	assert_false(exists("to/deep"));
	text_is("to/dir/sub/kept", "lower");
	assert_false(exists("to/old/inside"));
	text_is("to/old/new", "upper");
	text_is("to/other-name", "lower");
	assert_int_equal(lstat("to/link", &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	text_is("to/link/in-it", "upper");
	assert_false(exists("to/dir/in-it"));
	assert_int_equal(lstat("to/file", &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	assert_int_equal(stat("to/dir", &st), 0);
	assert_int_equal(st.st_mode & 07777, 0711);
	assert_int_equal(st.st_mtim.tv_sec, 1600000000);
	assert_int_equal(st.st_mtim.tv_nsec, 99);
	assert_true(getxattr("to/dir", "security.capability", NULL, 0) < 0);
}

/* It is not in the image itself, and yet what it has taken the place of does not come back. */
static void test_socket_over_file(void **state)
{
	struct oci_layer lower, upper;
	CLEANUP_FREE char *names = NULL;

	(void)state;
	need_root();
	put_file("a/file", "lower");
	assert_int_equal(mkdir("a/dir", 0755), 0);
	assert_int_equal(mknod("b/file", S_IFSOCK | 0600, 0), 0);
	assert_int_equal(mknod("b/dir", S_IFSOCK | 0600, 0), 0);
	assert_int_equal(mknod("b/new", S_IFSOCK | 0600, 0), 0);
	lower = pack("a", NULL);
	upper = pack("b", "a");
	names = names_in(&upper);
	assert_string_equal(names, "./ .wh.dir .wh.file");
	apply(&lower);
	apply(&upper);
	assert_false(exists("to/file"));
	assert_false(exists("to/dir"));
}

static void test_cannot_be_packed(void **state)
{
	struct oci_layer layer;
	int fd = open_dir("a");

	(void)state;
	need_root();
	assert_int_equal(mkdir("a/dir", 0755), 0);
	put_file("a/dir/.wh.x", "");
	assert_true(oci_layer_write(&layout, fd, -1, &layer) < 0);
	assert_contains(error.text, "/dir/.wh.x cannot be in an image");
	close(fd);
	assert_int_equal(tree_remove(home_fd, "image/blobs"), 0);
	fd = open_dir("image");
	struct text_list names = { 0 };

	assert_int_equal(tree_list_names(fd, &names), 0);
	assert_int_equal(names.count, 1); /* oci-layout: nothing hidden is left */
	text_list_free(&names);
	close(fd);
}

/* ---- layers that nobody packs by accident ---- */

struct made {
	const char *name;
	mode_t type;
	const char *link; /* of a symbolic link, or where type is 0 of a hard link */
	la_int64_t uid;
};

/* A blob of the layout from a file of the scratch directory. */
static struct oci_descriptor put_blob(const char *file)
{
	struct oci_descriptor descriptor;
	struct oci_blob blob;
	char *data;
	size_t length;

	assert_int_equal(file_read(home_fd, file, 1 << 20, &data, &length), 0);
	assert_int_equal(oci_blob_begin(&layout, &blob), 0);
	assert_int_equal(oci_blob_add(&blob, data, length), 0);
	assert_int_equal(oci_blob_finish(&blob, &descriptor), 0);
	free(data);
	return descriptor;
}

static void write_tar(const struct made *entries, const char *file, const char *filter)
{
	struct archive *out = archive_write_new();

	assert_int_equal(archive_write_set_format_pax(out), ARCHIVE_OK);
	assert_int_equal(archive_write_set_options(out, "hdrcharset=BINARY"), ARCHIVE_OK);
	if (strcmp(filter, "none") != 0)
		assert_int_equal(archive_write_add_filter_by_name(out, filter), ARCHIVE_OK);
	assert_int_equal(archive_write_open_filename(out, file), ARCHIVE_OK);
	for (; entries->name; entries++) {
		struct archive_entry *entry = archive_entry_new();

		archive_entry_set_pathname(entry, entries->name);
		archive_entry_set_mode(entry, (entries->type ? entries->type : AE_IFREG) | 0755);
		archive_entry_set_uid(entry, entries->uid);
		archive_entry_set_size(entry, 0);
		if (entries->link && entries->type)
			archive_entry_set_symlink(entry, entries->link);
		else if (entries->link)
			archive_entry_set_hardlink(entry, entries->link);
		assert_int_equal(archive_write_header(out, entry), ARCHIVE_OK);
		archive_entry_free(entry);
	}
	assert_int_equal(archive_write_free(out), ARCHIVE_OK);
}

static struct oci_layer made_layer(const struct made *entries, const char *filter)
{
	struct oci_layer layer;
	uint8_t bytes[DIGEST_SHA256_BYTES];
	int fd;

	write_tar(entries, "layer.tar", "none");
	fd = open("layer.tar", O_RDONLY | O_CLOEXEC);
	assert_int_equal(digest_sha256_fd(fd, bytes), 0);
	close(fd);
	oci_digest_format(bytes, layer.diff_id);
	write_tar(entries, "layer.packed", filter);
	layer.blob = put_blob("layer.packed");
	return layer;
}

#define ENTRIES(...) (const struct made[]){ __VA_ARGS__, { 0 } }

static void applied(const struct made *entries)
{
	struct oci_layer layer = made_layer(entries, "gzip");

	apply(&layer);
}

static void refused(const struct made *entries, const char *sentence)
{
	struct oci_layer layer = made_layer(entries, "gzip");

	if (try_apply(&layer, OCI_GZIP) != OCI_BAD_IMAGE)
		fail_msg("%s was not refused as an image that is bad: %s", entries->name, error.text);
	assert_contains(error.text, sentence);
	assert_false(exists("outside"));
	assert_false(exists("a/outside"));
	text_is("a/victim", "secret");
}

static void test_refused(void **state)
{
	(void)state;
	need_root();
	put_file("a/victim", "secret");
	refused(ENTRIES({ "/tmp/outside", AE_IFREG, NULL, 0 }), "/tmp/outside");
	refused(ENTRIES({ "x/../../outside", AE_IFREG, NULL, 0 }), "would leave");
	refused(ENTRIES({ "..", AE_IFDIR, NULL, 0 }), "would leave");
	refused(ENTRIES({ "l", AE_IFLNK, "../a", 0 }, { "l/outside", AE_IFREG, NULL, 0 }), "l/outside");
	refused(ENTRIES({ "l/victim", AE_IFREG, NULL, 0 }), "l/victim"); /* the link is of the layer before */
	refused(ENTRIES({ "l/.wh.victim", AE_IFREG, NULL, 0 }), "behind a symbolic link");
	applied(ENTRIES({ "d/", AE_IFDIR, NULL, 0 }, { "d/l", AE_IFLNK, "../..", 0 }));
	refused(ENTRIES({ "d/l/a/.wh.victim", AE_IFREG, NULL, 0 }), "behind a symbolic link");
	refused(ENTRIES({ "h", 0, "l/victim", 0 }), "h");
	refused(ENTRIES({ "h", 0, "../a/victim", 0 }), "hard link to a file outside");
	refused(ENTRIES({ "h", 0, "/etc/passwd", 0 }), "hard link to a file outside");
	refused(ENTRIES({ "h", 0, ".wh.x", 0 }), "hard link to a whiteout");
	refused(ENTRIES({ "f", AE_IFREG, NULL, 100000 }), "above 65535");
	refused(ENTRIES({ ".wh...", AE_IFREG, NULL, 0 }), "cannot be deleted");
	refused(ENTRIES({ "d/.wh..", AE_IFREG, NULL, 0 }), "cannot be deleted");
	refused(ENTRIES({ "../.wh.a", AE_IFREG, NULL, 0 }), "would leave");
	refused(ENTRIES({ "../.wh..wh..opq", AE_IFREG, NULL, 0 }), "would leave");
	refused(ENTRIES({ "/.wh..wh..opq", AE_IFREG, NULL, 0 }), "would leave");
	refused(ENTRIES({ ".wh..wh..opq/x", AE_IFREG, NULL, 0 }), "below a whiteout");
	refused(ENTRIES({ "./", AE_IFLNK, "../a", 0 }), "the root");
	/* Nobody means the files behind the link: it goes when the directory comes. */
	applied(ENTRIES({ "l/.wh..wh..opq", AE_IFREG, NULL, 0 }));
	text_is("a/victim", "secret");
	applied(ENTRIES({ "l/", AE_IFDIR, NULL, 0 }, { "l/outside", AE_IFREG, NULL, 0 }));
	assert_true(exists("to/l/outside"));
	assert_false(exists("a/outside"));
	/* A directory that becomes a link again must not get its time through it. */
	applied(ENTRIES({ "l/", AE_IFDIR, NULL, 0 }, { "l", AE_IFLNK, "../a", 0 }));
	assert_true(exists("to/l"));
	assert_false(exists("to/l/outside"));
}

/* Of all layers together; each is read twice, and counts once. */
static void test_too_many(void **state)
{
	(void)state;
	need_root();
	put_file("a/victim", "secret");
	entries_left = 5;
	applied(ENTRIES({ "d/", AE_IFDIR, NULL, 0 }, { "d/", AE_IFDIR, NULL, 0 }, { "d/f", AE_IFREG, NULL, 0 }));
	assert_int_equal(entries_left, 2);
	refused(ENTRIES({ "x", AE_IFREG, NULL, 0 }, { "y", AE_IFREG, NULL, 0 }, { "z", AE_IFREG, NULL, 0 }), "more than");
	assert_false(exists("to/x"));
	entries_left = OCI_ENTRIES_MAX;
}

static void test_devices_are_left_out(void **state)
{
	(void)state;
	need_root();
	applied(ENTRIES({ "dev/", AE_IFDIR, NULL, 0 }, { "dev/sda", AE_IFBLK, NULL, 0 }, { "dev/null", AE_IFCHR, NULL, 0 },
			{ "dev/fifo", AE_IFIFO, NULL, 0 }));
	assert_true(exists("to/dev/fifo"));
	assert_false(exists("to/dev/sda") || exists("to/dev/null"));
}

/* Whiteouts hide what lower layers have and nothing of their own, wherever they stand. */
static void test_order(void **state)
{
	(void)state;
	need_root();
	applied(ENTRIES({ "d/", AE_IFDIR, NULL, 0 }, { "d/old", AE_IFREG, NULL, 0 }, { "d/both", AE_IFREG, NULL, 0 },
			{ "e/x/y", AE_IFREG, NULL, 0 }, { "e/z", AE_IFREG, NULL, 0 }, { "f", AE_IFREG, NULL, 0 }));
	applied(ENTRIES({ "d/both", AE_IFREG, NULL, 0 }, { "d/new", AE_IFREG, NULL, 0 },
			{ "d/.wh..wh..opq", AE_IFREG, NULL, 0 }, { "e/x/new", AE_IFREG, NULL, 0 },
			{ "e/.wh.x", AE_IFREG, NULL, 0 }, { "f/", AE_IFDIR, NULL, 0 }, { "f/.wh.g", AE_IFREG, NULL, 0 },
			{ "never/was/.wh.there", AE_IFREG, NULL, 0 } ));
	assert_true(exists("to/d/both") && exists("to/d/new"));
	assert_false(exists("to/d/old"));
	assert_true(exists("to/e/x/new") && exists("to/e/z") && exists("to/f"));
	assert_false(exists("to/e/x/y"));
	assert_false(exists("to/never"));
	applied(ENTRIES({ ".wh..wh..opq", AE_IFREG, NULL, 0 }, { "only", AE_IFREG, NULL, 0 }));
	assert_true(exists("to/only"));
	assert_false(exists("to/d") || exists("to/e") || exists("to/f"));
}

static void test_compressions(void **state)
{
	static const struct {
		const char *filter;
		enum oci_compression compression;
	} known[] = { { "none", OCI_PLAIN }, { "gzip", OCI_GZIP }, { "zstd", OCI_ZSTD } };
	struct oci_layer layer;

	(void)state;
	need_root();
	for (size_t i = 0; i < 3; i++) {
		CLEANUP_FREE char *path = text_format("to/%s", known[i].filter);

		layer = made_layer(ENTRIES({ known[i].filter, AE_IFREG, NULL, 0 }), known[i].filter);
		if (try_apply(&layer, known[i].compression) < 0)
			fail_msg("%s: %s", known[i].filter, error.text);
		assert_true(path && access(path, F_OK) == 0);
		for (size_t other = 0; i > 0 && other < 3; other++) /* nothing is guessed */
			if (other != i)
				assert_int_equal(try_apply(&layer, known[other].compression), OCI_BAD_IMAGE);
	}
}

static char *blob_path(const struct oci_layer *layer)
{
	return text_format("image/blobs/sha256/%s", layer->blob.digest + strlen("sha256:"));
}

static void test_damage(void **state)
{
	struct oci_layer layer = made_layer(ENTRIES({ "x", AE_IFREG, NULL, 0 }, { "y", AE_IFREG, NULL, 0 }), "gzip");
	struct oci_layer other = layer;
	CLEANUP_FREE char *path = blob_path(&layer);
	CLEANUP_FREE char *data = NULL;
	size_t length;
	FILE *file;

	(void)state;
	need_root();
	assert_int_equal(file_read(home_fd, path, 1 << 20, &data, &length), 0);
	other.blob.size++;
	assert_int_equal(try_apply(&other, OCI_GZIP), OCI_BAD_IMAGE);
	assert_contains(error.text, "bytes, not");
	other = layer;
	other.diff_id[10] = other.diff_id[10] == '0' ? '1' : '0';
	assert_int_equal(try_apply(&other, OCI_GZIP), OCI_BAD_IMAGE);
	assert_contains(error.text, "its uncompressed digest is");
	other.blob.digest[10] ^= 1;
	assert_int_equal(try_apply(&other, OCI_GZIP), -ENOENT);
	for (size_t at = 0; at < length; at++) { /* every single bit counts, that of an unused header's, too */
		data[at] ^= 16;
		assert_int_equal(file_write(home_fd, path, data, length, 0600, FILE_LAZY), 0);
		assert_int_equal(try_apply(&layer, OCI_GZIP), OCI_BAD_IMAGE);
		assert_false(oci_blob_is_good(&layout, &layer.blob));
		data[at] ^= 16;
	}
	assert_int_equal(file_write(home_fd, path, data, length - 1, 0600, FILE_LAZY), 0);
	assert_int_equal(try_apply(&layer, OCI_GZIP), OCI_BAD_IMAGE);
	/* What stands behind the archive counts, too. */
	file = fopen("layer.packed", "we");
	fwrite(data, 1, length, file);
	fwrite("trailing", 1, 8, file);
	fclose(file);
	layer.blob = put_blob("layer.packed");
	if (try_apply(&layer, OCI_GZIP) < 0)
		fail_msg("%s", error.text);
	assert_int_equal(unlink(path), 0);
	assert_int_equal(symlink("/dev/zero", path), 0);
	other = made_layer(ENTRIES({ "x", AE_IFREG, NULL, 0 }, { "y", AE_IFREG, NULL, 0 }), "gzip"); /* replaces it */
	apply(&other);
}

/* ---- documents ---- */

static const struct oci_about about = { .tag = "one",
					.created = "2026-01-02T03:04:05Z",
					.stop_signal = "SIGPWR",
					.base = "bb@3",
					.container = "c" };

static struct oci_descriptor put_image(const char *tag, const struct oci_layer *layers, size_t count)
{
	struct oci_descriptor manifest;
	struct oci_about named = about;

	named.tag = tag;
	if (oci_image_write(&layout, &named, layers, count, &manifest) < 0)
		fail_msg("%s", error.text);
	return manifest;
}

static int read_image(const char *tag, struct oci_image *ret_image)
{
	return oci_image_read(&layout, tag, ret_image);
}

static json_t *index_of(void)
{
	json_t *index = json_load_file("image/index.json", 0, NULL);

	assert_non_null(index);
	return index;
}

static void test_index(void **state)
{
	struct oci_layer layers[2];
	struct oci_image image = { 0 };
	struct oci_descriptor first, again;
	json_t *index;

	(void)state;
	need_root();
	layers[0] = made_layer(ENTRIES({ "x", AE_IFREG, NULL, 0 }), "gzip");
	layers[1] = made_layer(ENTRIES({ "y", AE_IFREG, NULL, 0 }), "gzip");
	first = put_image("one", layers, 1);
	assert_int_equal(read_image("", &image), 0);
	put_image("two", layers, 2);
	assert_int_equal(read_image("", &image), -ENOENT);
	assert_contains(error.text, "give one as image:TAG: one, two");
	assert_int_equal(read_image("three", &image), -ENOENT);
	assert_contains(error.text, "no image three");
	assert_int_equal(read_image("one", &image), 0);
	assert_int_equal(image.count, 1);
	assert_int_equal(read_image("two", &image), 0);
	assert_int_equal(image.count, 2);
	assert_string_equal(image.layers[1].layer.blob.digest, layers[1].blob.digest);
	assert_string_equal(image.layers[1].layer.diff_id, layers[1].diff_id);
	assert_int_equal(image.layers[1].compression, OCI_GZIP);
	/* Another tool's image, and what it says beside, stay; the same tag is replaced; the same image is the same. */
	index = index_of();
	json_object_set_new(index, "annotations", json_pack("{s:s}", "whose", "theirs"));
	json_array_append_new(json_object_get(index, "manifests"), json_pack("{s:s}", "mediaType", "strange"));
	assert_int_equal(json_dump_file(index, "image/index.json", 0), 0);
	json_decref(index);
	again = put_image("one", layers, 1);
	assert_string_equal(first.digest, again.digest);
	index = index_of();
	assert_int_equal(json_array_size(json_object_get(index, "manifests")), 3);
	assert_string_equal(json_string_value(json_object_get(json_object_get(index, "annotations"), "whose")), "theirs");
	json_decref(index);
}

static void put_index(const char *text)
{
	put_file("image/index.json", text);
}

static char *replaced(const char *text, const char *part, const char *with)
{
	const char *at = strstr(text, part);

	assert_non_null(at);
	return text_format("%.*s%s%s", (int)(at - text), text, with, at + strlen(part));
}

/* index.json that names a manifest, which is @text. */
static void put_manifest(const char *text)
{
	struct oci_descriptor descriptor;
	char *index;

	assert_int_equal(oci_blob_write(&layout, text, &descriptor), 0);
	index = text_format("{\"manifests\":[{\"mediaType\":\"" OCI_TYPE_MANIFEST "\",\"digest\":\"%s\",\"size\":%llu}]}",
			    descriptor.digest, (unsigned long long)descriptor.size);
	put_index(index);
	free(index);
}

static void manifest_is_bad(const char *good, const char *part, const char *with)
{
	struct oci_image image;
	char *bad = replaced(good, part, with);

	put_manifest(bad);
	if (read_image("", &image) >= 0)
		fail_msg("taken: %s", bad);
	free(bad);
}

static void test_bad_documents(void **state)
{
	static const char *const indexes[] = { "", "[]", "{}", "null", "{\"manifests\":{}}", "{\"manifests\":[]}",
					       "{\"manifests\":[1]}", "{\"manifests\":[{}]}", "{\"manifests\":[{}],",
					       "{\"manifests\":[{\"digest\":\"sha256:../../../../etc/passwd\",\"size\":1}]}",
					       "{\"manifests\":[{\"digest\":\"sha512:00\",\"size\":1}]}",
					       "{\"manifests\":[],\"manifests\":[]}" };
	struct oci_layer layer;
	struct oci_descriptor descriptor;
	struct oci_image image;
	char *text, *deep;

	(void)state;
	need_root();
	layer = made_layer(ENTRIES({ "x", AE_IFREG, NULL, 0 }), "gzip");
	descriptor = put_image("one", &layer, 1);
	assert_int_equal(oci_blob_read(&layout, &descriptor, &text), 0);
	for (size_t i = 0; i < sizeof indexes / sizeof *indexes; i++) {
		put_index(indexes[i]);
		if (read_image("", &image) >= 0)
			fail_msg("taken: %s", indexes[i]);
	}
	put_manifest(text);
	assert_int_equal(read_image("", &image), 0);
	manifest_is_bad(text, "layer.v1.tar+gzip", "layer.v1.tar+bzip2");
	manifest_is_bad(text, "layer.v1.tar+gzip", "layer.nondistributable.v1.tar+gzip");
	manifest_is_bad(text, "\"layers\":[{", "\"layers\":[],\"no\":[{");
	manifest_is_bad(text, "\"layers\":[{", "\"layers\":[{},{");
	manifest_is_bad(text, "\"size\":", "\"size\":-");
	manifest_is_bad(text, "\"size\":", "\"size\":99999999999999999999");
	manifest_is_bad(text, "\"digest\":\"sha256:", "\"digest\":\"sha256:A");
	manifest_is_bad(text, "\"config\":{", "\"config\":{},\"x\":{");
	manifest_is_bad(text, "\"config\":{", "\"config\":[],\"x\":{");
	deep = malloc(100001);
	memset(deep, '[', 100000);
	deep[100000] = '\0';
	put_manifest(deep);
	assert_true(read_image("", &image) < 0);
	free(deep);
	free(text);
}

/* An index within an index, for several machines, as others write it; and one that has no end. */
static void test_nested(void **state)
{
	struct oci_layer layer;
	struct oci_descriptor descriptor;
	struct oci_image image;
	char architecture[64], *text;

	(void)state;
	need_root();
	oci_architecture(architecture);
	layer = made_layer(ENTRIES({ "x", AE_IFREG, NULL, 0 }), "gzip");
	descriptor = put_image("one", &layer, 1);
	for (int depth = 0; depth < 6; depth++) {
		bool first = depth == 0;
		int r;

		text = text_format("{\"manifests\":[{\"mediaType\":\"" OCI_TYPE_MANIFEST "\",\"digest\":\"sha256:%064d\","
				   "\"size\":3,\"platform\":{\"architecture\":\"pdp11\",\"os\":\"linux\"}},"
				   "{\"mediaType\":\"%s\",\"digest\":\"%s\",\"size\":%llu%s%s%s}]}",
				   0, first ? OCI_TYPE_MANIFEST : OCI_TYPE_INDEX, descriptor.digest,
				   (unsigned long long)descriptor.size,
				   first ? ",\"platform\":{\"os\":\"linux\",\"architecture\":\"" : "",
				   first ? architecture : "", first ? "\"}" : "");
		put_index(text);
		r = read_image("", &image);
		if (depth < 4 ? r < 0 : r != OCI_BAD_IMAGE)
			fail_msg("depth %d: %d %s", depth, r, error.text);
		assert_int_equal(oci_blob_write(&layout, text, &descriptor), 0);
		free(text);
	}
	assert_contains(error.text, "nested too deep");
	text = replaced("{\"manifests\":[{\"platform\":{\"architecture\":\"pdp11\",\"os\":\"linux\"}}]}", "pdp11", "vax");
	put_index(text);
	free(text);
	assert_int_equal(read_image("", &image), -ENOENT);
	assert_contains(error.text, "for this machine");
}

static void test_layouts(void **state)
{
	struct oci_layout other;

	(void)state;
	need_root();
	put_file("a/mine", "");
	assert_true(oci_layout_make("a", &error, &other) < 0);
	assert_contains(error.text, "a is neither empty nor an OCI image layout");
	assert_int_equal(oci_layout_open("a", &error, &other), OCI_BAD_IMAGE);
	assert_true(oci_layout_make("no/such", &error, &other) < 0);
	assert_true(oci_layout_open("missing", &error, &other) < 0);
	/* What a killed export left goes, and a directory where it began is taken. */
	put_file("b/.layerbox-0123", "half a blob");
	assert_int_equal(mkdir("b/blobs", 0700), 0);
	assert_int_equal(oci_layout_make("b", &error, &other), 0);
	assert_false(exists("b/.layerbox-0123"));
	assert_true(exists("b/oci-layout") && exists("b/blobs/sha256"));
	oci_layout_close(&other);
	/* Nothing is written through somebody's link. */
	assert_int_equal(tree_remove(home_fd, "b/blobs"), 0);
	assert_int_equal(symlink("../a", "b/blobs"), 0);
	assert_true(oci_layout_make("b", &error, &other) < 0);
}

static int enter(void **state)
{
	if (scratch_enter(state) < 0)
		return -1;
	home_fd = open(".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return home_fd < 0 ? -1 : 0;
}

static int leave(void **state)
{
	close(home_fd);
	return scratch_leave(state);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_names),
		TEST(test_round_trip),
		TEST(test_same_bytes),
		TEST(test_layer_over_layer),
		TEST(test_socket_over_file),
		TEST(test_cannot_be_packed),
		TEST(test_refused),
		TEST(test_too_many),
		TEST(test_devices_are_left_out),
		TEST(test_order),
		TEST(test_compressions),
		TEST(test_damage),
		TEST(test_index),
		TEST(test_bad_documents),
		TEST(test_nested),
		TEST(test_layouts),
	};

	return cmocka_run_group_tests(tests, enter, leave);
}
