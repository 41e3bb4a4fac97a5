/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Streams that nobody writes by accident are refused, and nothing outside is touched. */
#include "stream.h"

#include <archive.h>
#include <archive_entry.h>

/* Most members say little. */
#pragma GCC diagnostic ignored "-Wmissing-field-initializers"

struct made {
	const char *name;
	mode_t type; /* 0: a hard link */
	const char *link;
	const char *data;
	const char *xattr, *value;
	la_int64_t uid;
	int major, minor;
};

static void write_made(struct archive *out, const struct made *made)
{
	struct archive_entry *entry = archive_entry_new();

	archive_entry_set_pathname(entry, made->name);
	archive_entry_set_mode(entry, (made->type ? made->type : AE_IFREG) | 0755);
	archive_entry_set_uid(entry, made->uid);
	archive_entry_set_mtime(entry, 1, 1);
	archive_entry_set_size(entry, made->data ? (la_int64_t)strlen(made->data) : 0);
	archive_entry_set_rdevmajor(entry, made->major);
	archive_entry_set_rdevminor(entry, made->minor);
	if (made->xattr)
		archive_entry_xattr_add_entry(entry, made->xattr, made->value, strlen(made->value));
	if (made->link && made->type)
		archive_entry_set_symlink(entry, made->link);
	else if (made->link)
		archive_entry_set_hardlink(entry, made->link);
	assert_int_equal(archive_write_header(out, entry), ARCHIVE_OK);
	if (made->data)
		assert_int_equal(archive_write_data(out, made->data, strlen(made->data)), strlen(made->data));
	archive_entry_free(entry);
}

#define FRONT                                                                                                          \
	{ "layerbox-stream", AE_IFREG, .data = "format = 1\n" },                                                       \
	{                                                                                                              \
		"container.conf", AE_IFREG, .data = "a = b\n"                                                          \
	}
#define ROOT                                                                                                           \
	{                                                                                                              \
		"layers/1/", AE_IFDIR                                                                              \
	}
#define IN_A(name) "layers/1/" name

/* Without a proper end: what is wrong must be seen before it. */
static void make_stream(const struct made *entries, const char *options)
{
	struct archive *out = archive_write_new();

	assert_int_equal(archive_write_set_format_pax(out), ARCHIVE_OK);
	assert_int_equal(archive_write_set_options(out, options), ARCHIVE_OK);
	assert_int_equal(archive_write_open_filename(out, "s"), ARCHIVE_OK);
	for (; entries->name; entries++)
		write_made(out, entries);
	assert_int_equal(archive_write_free(out), ARCHIVE_OK);
}

static void hostile_to(const struct told *told, const char *sentence, const struct made *entries)
{
	CLEANUP_FREE char *victim = NULL;

	make_stream(entries, "hdrcharset=BINARY,xattrheader=LIBARCHIVE");
	refused(told, sentence);
	assert_int_equal(file_read(AT_FDCWD, "outside/victim", 100, &victim, NULL), 0);
	assert_string_equal(victim, "secret");
	assert_false(exists("outside/new") || exists("new") || exists("out/new") || exists("out/layers/new"));
}

#define HOSTILE(sentence, ...) hostile_to(&layer_a, sentence, (const struct made[]){ FRONT, __VA_ARGS__, { 0 } })

static void test_hostile_names(void **state)
{
	(void)state;
	put_file("outside/victim", "secret");
	HOSTILE("is nothing that a stream has", { "/tmp/new", AE_IFREG });
	HOSTILE("is nothing that a stream has", { "../outside/new", AE_IFREG });
	HOSTILE("is nothing that a stream has", { "layers", AE_IFREG });
	HOSTILE("is of no layer", { "layers/", AE_IFDIR });
	HOSTILE("is of no layer", { "layers/1", AE_IFREG });
	HOSTILE("nobody asked for", { "layers/2/", AE_IFDIR });
	HOSTILE("is of no layer", { "layers/../../outside/new", AE_IFREG });
	HOSTILE("is of no layer", { "layers/01/", AE_IFDIR });
	HOSTILE("is of no layer", { "layers/0/", AE_IFDIR });
	HOSTILE("is of no layer", { "layers/99999999999999999999/", AE_IFDIR });
	HOSTILE("is of a base, which nobody", { "base/rootfs/", AE_IFDIR });
	HOSTILE("leads out", ROOT, { IN_A("../new"), AE_IFREG });
	HOSTILE("leads out", ROOT, { IN_A("d/../../new"), AE_IFREG });
	HOSTILE("leads out", ROOT, { IN_A(".."), AE_IFDIR });
	HOSTILE("leads out", ROOT, { IN_A("."), AE_IFDIR });
	HOSTILE("leads out", ROOT, { IN_A("/etc"), AE_IFDIR });
	HOSTILE("leads out", ROOT, { IN_A("d//x"), AE_IFDIR });
	HOSTILE("leads out", ROOT,
		{ IN_A("01234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234"
		       "56789"
		       "01234567890123456789012345678901234567890123456789012345678901234567890123456789012345678901234"
		       "56789"
		       "01234567890123456789012345678901234567890123456789012345"),
		  AE_IFREG });
	HOSTILE("comes before the directory", { IN_A("x"), AE_IFREG });
	HOSTILE("comes before the directory", ROOT, { IN_A("d/x"), AE_IFREG });
	HOSTILE("must be a directory", { "layers/1/", AE_IFLNK, "/etc" });
	HOSTILE("must be a directory", { "layers/1/", 0, "layers/1/" });
	HOSTILE("name of one", ROOT, { IN_A("x/"), AE_IFLNK, "/etc" });
	HOSTILE("is nothing that a stream has", ROOT, { "container.conf", AE_IFREG });
	HOSTILE("without its own name", ROOT, { STREAM_PLACEHOLDER, AE_IFREG });
	HOSTILE("without its own name", ROOT, { STREAM_PLACEHOLDER, AE_IFREG, .xattr = STREAM_MARK_NAME, .value = "" });
	HOSTILE("is nothing that", ROOT,
		{ STREAM_PLACEHOLDER, AE_IFREG, .xattr = STREAM_MARK_NAME, .value = "/tmp/new" });
	HOSTILE("leads out", ROOT,
		{ STREAM_PLACEHOLDER, AE_IFREG, .xattr = STREAM_MARK_NAME, .value = IN_A("../new") });
	HOSTILE("bad?[31m", ROOT, { IN_A("bad\33[31m/../x"), AE_IFREG });
}

static void test_hostile_order(void **state)
{
	(void)state;
	put_file("outside/victim", "secret");
	HOSTILE("comes twice", ROOT, { IN_A("f"), AE_IFREG }, { IN_A("f"), AE_IFREG });
	HOSTILE("comes twice", ROOT, { IN_A("l"), AE_IFLNK, "../../../../../outside/new" }, { IN_A("l"), AE_IFREG });
	HOSTILE("comes twice", ROOT, { IN_A("d"), AE_IFDIR }, { IN_A("d"), AE_IFREG });
	HOSTILE("comes twice", ROOT, { IN_A("f"), AE_IFREG }, { IN_A("f"), AE_IFDIR });
	HOSTILE("comes twice", ROOT, { IN_A("g"), AE_IFREG }, { IN_A("f"), AE_IFREG });
	HOSTILE("comes twice", ROOT, ROOT);
	HOSTILE("comes before the directory", ROOT, { IN_A("d"), AE_IFDIR }, { IN_A("e"), AE_IFREG },
		{ IN_A("d/x"), AE_IFREG });
	HOSTILE("comes before the directory", ROOT, { IN_A("f"), AE_IFREG }, { IN_A("f/x"), AE_IFREG });
	HOSTILE("comes before the directory", ROOT, { IN_A("l"), AE_IFLNK, "../../../../../outside" },
		{ IN_A("l/new"), AE_IFREG });
	hostile_to(&(struct told){ .layer = A, .other = B }, "not with the others of its layer",
		   (const struct made[]){ FRONT, ROOT, { "layers/2/", AE_IFDIR }, { IN_A("x"), AE_IFREG }, { 0 } });
	hostile_to(&(struct told){ .layer = A, .base = true }, "not with the others of its base",
		   (const struct made[]){ FRONT, { "base/", AE_IFDIR }, ROOT, { "base/manifest", AE_IFREG }, { 0 } });
}

static void test_hostile_small_files(void **state)
{
	static char large[(1 << 20) + 2];
	const struct told nothing = { 0 };

	(void)state;
	put_file("outside/victim", "secret");
	memset(large, 'x', sizeof large - 1);
#define SMALL(sentence, ...) hostile_to(&nothing, sentence, (const struct made[]){ __VA_ARGS__, { 0 } })
	SMALL("must not", { "container.conf", AE_IFREG });
	SMALL("must not", { "layerbox-stream", AE_IFREG }, { "layerbox-stream", AE_IFREG });
	SMALL("must not", { "layerbox-stream", AE_IFREG }, { "snapshots/x", AE_IFREG });
	SMALL("must not", FRONT, { "container.conf", AE_IFREG });
	SMALL("must not", FRONT, { "snapshots/b", AE_IFREG }, { "snapshots/a", AE_IFREG });
	SMALL("comes before layerbox-stream", { "layers/1/", AE_IFDIR });
	SMALL("comes before layerbox-stream", { "layerbox-stream", AE_IFREG }, { "layerbox-end", AE_IFREG });
	SMALL("is nothing that a stream has", FRONT, { "snapshots/../new", AE_IFREG });
	SMALL("is nothing that a stream has", FRONT, { "snapshots/", AE_IFDIR });
	SMALL("must be a file", { "layerbox-stream", AE_IFLNK, "/etc/passwd" });
	SMALL("must be a file", { "layerbox-stream", AE_IFREG }, { "container.conf", 0, "/etc/passwd" });
	SMALL("too large", { "layerbox-stream", AE_IFREG, .data = large });
	SMALL("too large", { "layerbox-stream", AE_IFREG }, { "container.conf", AE_IFREG, .data = large });
#undef SMALL
}

static void test_hostile_links(void **state)
{
	(void)state;
	put_file("outside/victim", "secret");
	HOSTILE("to a file outside", ROOT, { IN_A("h"), 0, "/etc/passwd" });
	HOSTILE("to a file outside", ROOT, { IN_A("h"), 0, "container.conf" });
	HOSTILE("to a file outside", ROOT, { IN_A("h"), 0, IN_A("../../../container.conf") });
	HOSTILE("to a file outside", ROOT, { IN_A("h"), 0, "../outside/victim" });
	HOSTILE("to a file outside", ROOT, { IN_A("h"), 0, "layers/1/" });
	HOSTILE("not there", ROOT, { IN_A("h"), 0, IN_A("missing") });
	HOSTILE("not there", ROOT, { IN_A("h"), 0, IN_A("h") });
	HOSTILE("not there", ROOT, { IN_A("d"), AE_IFDIR }, { IN_A("h"), 0, IN_A("d") });
	HOSTILE("not there", ROOT, { IN_A("a"), AE_IFLNK, "../../../../outside" }, { IN_A("h"), 0, IN_A("a/victim") });
	hostile_to(&(struct told){ .layer = A, .other = B }, "to a file outside",
		   (const struct made[]){ FRONT,
					  { "layers/2/", AE_IFDIR },
					  { "layers/2/f", AE_IFREG },
					  ROOT,
					  { IN_A("h"), 0, "layers/2/f" },
					  { 0 } });
	hostile_to(&(struct told){ .base = true }, "to a file outside",
		   (const struct made[]){ FRONT,
					  { "base/manifest", AE_IFREG },
					  { "base/rootfs/", AE_IFDIR },
					  { "base/rootfs/h", 0, "base/manifest" },
					  { 0 } });
}

static void test_hostile_base(void **state)
{
	const struct told base = { .base = true };

	(void)state;
	put_file("outside/victim", "secret");
#define BASE(sentence, ...) hostile_to(&base, sentence, (const struct made[]){ FRONT, __VA_ARGS__, { 0 } })
	BASE("nothing that a base has", { "base/other", AE_IFREG });
	BASE("nothing that a base has", { "base/manifest", AE_IFLNK, "/etc/passwd" });
	BASE("nothing that a base has", { "base/manifest", 0, "base/manifest" });
	BASE("nothing that a base has", { "base/rootfs2", AE_IFDIR });
	BASE("nothing that a base has", { "base/../new", AE_IFREG });
	BASE("comes before the directory", { "base/rootfs/x", AE_IFREG });
	BASE("comes before the directory", { "base/rootfs", AE_IFLNK, "../../outside" },
	     { "base/rootfs/new", AE_IFREG });
#undef BASE
}

static void test_hostile_attributes(void **state)
{
	(void)state;
	put_file("outside/victim", "secret");
#define WITH(attribute, text) ROOT, { IN_A("f"), AE_IFREG, .xattr = attribute, .value = text }
	HOSTILE("must not carry", WITH("trusted.overlay.redirect", "/etc"));
	HOSTILE("must not carry", WITH("trusted.overlay.metacopy", ""));
	HOSTILE("must not carry", WITH("trusted.overlay.opaque", "x"));
	HOSTILE("must not carry", WITH("trusted.overlay.origin", "x"));
	HOSTILE("must not carry", WITH("security.selinux", "x"));
	HOSTILE("must not carry", WITH("system.other", "x"));
	HOSTILE("must not carry", WITH("layerbox.other", "x"));
	HOSTILE("only a privileged", WITH("trusted.x", "x"));
	HOSTILE("that is none", WITH("system.posix_acl_access", "no such thing"));
	HOSTILE("cannot unpack", WITH("security.capability", "no such thing"));
	HOSTILE("owner", ROOT, { IN_A("f"), AE_IFREG, .uid = 1LL << 32 });
	HOSTILE("owner", ROOT, { IN_A("f"), AE_IFREG, .uid = 0xffffffffLL });
	HOSTILE("is a device", ROOT, { IN_A("f"), AE_IFBLK });
	HOSTILE("is a device", ROOT, { IN_A("f"), AE_IFCHR, .minor = 1 });
	HOSTILE("is a device", ROOT, { IN_A("f"), AE_IFCHR, .major = 1 });
	HOSTILE("where there can be none", WITH(STREAM_MARK_GONE, "y"));
	hostile_to(&(struct told){ .layer = A, .privileged = true }, "must not carry",
		   (const struct made[]){ FRONT, WITH("trusted.overlay.redirect", "/etc"), { 0 } });
#undef WITH
}

static void test_hostile_differences(void **state)
{
	(void)state;
	put_file("outside/victim", "secret");
	assert_int_equal(mkdir("a/d", 0755), 0);
	put_file("a/d/f", "of the other layer");
	assert_int_equal(symlink("../outside", "a/l"), 0);
#define FROM(sentence, ...) hostile_to(&from_a, sentence, (const struct made[]){ FRONT, ROOT, __VA_ARGS__, { 0 } })
#define GONE(text) { IN_A(STREAM_GONE), AE_IFREG, .data = text, .xattr = STREAM_MARK_GONE, .value = "y" }
	FROM("comes in the place of a directory", { IN_A("d"), AE_IFREG });
	FROM("comes in the place of a directory", { IN_A("d"), AE_IFLNK, "/" });
	FROM("cannot unpack", { IN_A("l/new"), AE_IFREG });
	FROM("cannot unpack", { IN_A("d/f/new"), AE_IFREG });
	FROM("cannot unpack", { IN_A("missing/new"), AE_IFREG });
	FROM("comes twice", { IN_A("d/f"), AE_IFREG }, { IN_A("d"), AE_IFDIR });
	FROM("comes twice", { IN_A("x"), AE_IFREG }, { IN_A("d/f"), AE_IFREG });
	FROM("does not end behind a name", GONE("d/f"));
	FROM("does not end behind a name", GONE(""));
	FROM("where there can be none", { IN_A("d/f"), AE_IFREG }, GONE("d/f"));
	FROM("where there can be none", { IN_A("x"), AE_IFREG, .data = "d", .xattr = STREAM_MARK_GONE, .value = "y" });
	/* The file of the other layer is replaced, not written into. */
	FROM("cut off", { IN_A("d/f"), AE_IFREG, .data = "of this one, in its place" });
	FROM("cut off", { IN_A("l"), AE_IFREG, .data = "x" });
#undef FROM
#undef GONE
	{
		CLEANUP_FREE char *text = NULL;

		assert_int_equal(file_read(AT_FDCWD, "a/d/f", 100, &text, NULL), 0);
		assert_string_equal(text, "of the other layer");
	}
}

/* A list has NULs in it, which write_made() cannot. */
static void test_hostile_lists(void **state)
{
	static const char *const names[] = { "../x", "/etc", "d/../../x", "", "missing", "l/victim", "d/", "." };

	(void)state;
	put_file("outside/victim", "secret");
	assert_int_equal(mkdir("a/d", 0755), 0);
	assert_int_equal(symlink("../outside", "a/l"), 0);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		struct archive *out = archive_write_new();
		struct archive_entry *entry = archive_entry_new();
		const struct made front[] = { FRONT, ROOT };

		assert_int_equal(archive_write_set_format_pax(out), ARCHIVE_OK);
		assert_int_equal(archive_write_open_filename(out, "s"), ARCHIVE_OK);
		for (size_t k = 0; k < sizeof front / sizeof *front; k++)
			write_made(out, &front[k]);
		archive_entry_set_pathname(entry, IN_A(STREAM_GONE));
		archive_entry_set_mode(entry, AE_IFREG | 0644);
		archive_entry_xattr_add_entry(entry, STREAM_MARK_GONE, "y", 1);
		archive_entry_set_size(entry, (la_int64_t)strlen(names[i]) + 1);
		assert_int_equal(archive_write_header(out, entry), ARCHIVE_OK);
		assert_true(archive_write_data(out, names[i], strlen(names[i]) + 1) > 0);
		archive_entry_free(entry);
		assert_int_equal(archive_write_free(out), ARCHIVE_OK);
		refused(&from_a, "has a name that");
		assert_true(exists("outside/victim"));
	}
}

static void test_other_dialects(void **state)
{
	struct archive *out = archive_write_new();
	const struct made front[] = { FRONT };

	(void)state;
	assert_int_equal(archive_write_set_format_gnutar(out), ARCHIVE_OK);
	assert_int_equal(archive_write_open_filename(out, "s"), ARCHIVE_OK);
	write_made(out, &front[0]);
	assert_int_equal(archive_write_free(out), ARCHIVE_OK);
	refused(&layer_a, "not in pax format");
	out = archive_write_new();
	assert_int_equal(archive_write_set_format_cpio(out), ARCHIVE_OK);
	assert_int_equal(archive_write_open_filename(out, "s"), ARCHIVE_OK);
	write_made(out, &front[0]);
	assert_int_equal(archive_write_free(out), ARCHIVE_OK);
	refused(&layer_a, "damaged or cut off");
	put_file("s", "this is no archive at all, however long one looks at it");
	refused(&layer_a, "damaged or cut off");
	put_file("s", "");
	refused(&layer_a, "damaged or cut off");
}

static void test_limit(void **state)
{
	(void)state;
	put_file("a/one", "");
	put_file("a/two", "");
	pack(TREE_A, STREAM_PLAIN);
	refused(&(struct told){ .layer = A, .entries_max = 2 }, "one file too many");
	unpack(&(struct told){ .layer = A, .entries_max = 3 });
}

/* The first is one too many. */
static void test_many_layers(void **state)
{
	const struct made front[] = { FRONT };
	struct archive *out = archive_write_new();

	(void)state;
	assert_int_equal(archive_write_set_format_pax(out), ARCHIVE_OK);
	assert_int_equal(archive_write_open_filename(out, "s"), ARCHIVE_OK);
	for (size_t i = 0; i < sizeof front / sizeof *front; i++)
		write_made(out, &front[i]);
	for (int i = 0; i < 100000; i++) {
		char name[64];

		snprintf(name, sizeof name, "layers/%d/", i + 2);
		write_made(out, &(const struct made){ name, AE_IFDIR });
	}
	assert_int_equal(archive_write_free(out), ARCHIVE_OK);
	refused(&layer_a, "nobody asked for");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_hostile_names, begin),
		cmocka_unit_test_setup(test_hostile_order, begin),
		cmocka_unit_test_setup(test_hostile_small_files, begin),
		cmocka_unit_test_setup(test_hostile_links, begin),
		cmocka_unit_test_setup(test_hostile_base, begin),
		cmocka_unit_test_setup(test_hostile_attributes, begin),
		cmocka_unit_test_setup(test_hostile_differences, begin),
		cmocka_unit_test_setup(test_hostile_lists, begin),
		cmocka_unit_test_setup(test_other_dialects, begin),
		cmocka_unit_test_setup(test_limit, begin),
		cmocka_unit_test_setup(test_many_layers, begin),
	};

	return cmocka_run_group_tests(tests, scratch_enter, scratch_leave);
}
