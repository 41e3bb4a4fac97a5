/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Streams from a fuzzer (clang's libFuzzer): whatever comes, nothing outside of the directory is touched, and what is
 * accepted is what was announced.
 *
 * An input is one byte of options and a tar archive. So that more than checksums is tried, those of the headers and the
 * end's digest are put right where the options say so, and the mutator knows members: it copies, moves and takes away
 * whole ones, and puts hostile words into their headers.
 */
#include <fcntl.h>
#include <sched.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include "adapters/digest.h"
#include "stream-copy.h"
#include "stream-format.h"
#include "stream-unpack.h"
#include "util/file.h"
#include "util/tree.h"

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define LAYER "out/layers/" A "/rootfs-layer"

enum {
	OPTION_RAW = 1, /* bytes as they are */
	OPTION_OVER = 2, /* layer A is a difference */
	OPTION_PRIVILEGED = 4,
	OPTION_BASE = 8,
	OPTION_SECOND = 16, /* layer B is accepted, too */
	BLOCK = STREAM_BLOCK,
	MEMBERS_MAX = 512,
};

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);

#define MUST(condition) ((condition) ? (void)0 : must(#condition))

static void must(const char *condition)
{
	fprintf(stderr, "not so: %s\n", condition);
	abort();
}

/* ---- the archive as members ---- */

struct member {
	uint8_t *begin;
	size_t length; /* headers and content, in blocks */
};

static size_t content_length(const uint8_t *header)
{
	size_t length = 0;

	for (int i = 124; i < 136; i++) {
		if (header[i] < '0' || header[i] > '7')
			break;
		length = length * 8 + (size_t)(header[i] - '0');
	}
	return length;
}

static bool is_header(const uint8_t *block)
{
	return memcmp(block + 257, "ustar", 5) == 0;
}

/* An extended header belongs to the one behind it. */
static size_t find_members(uint8_t *data, size_t size, struct member members[MEMBERS_MAX])
{
	size_t count = 0, at = 0;

	while (at + BLOCK <= size && is_header(data + at) && count < MEMBERS_MAX) {
		size_t begin = at;
		bool extended;

		do {
			size_t blocks = 1 + (content_length(data + at) + BLOCK - 1) / BLOCK;

			extended = data[at + 156] == 'x';
			at = blocks > (size - at) / BLOCK ? size : at + blocks * BLOCK;
		} while (extended && at + BLOCK <= size && is_header(data + at));
		members[count++] = (struct member){ data + begin, at - begin };
	}
	return count;
}

static void correct_checksum(uint8_t *header)
{
	unsigned sum = 0;
	char text[8];

	memset(header + 148, ' ', 8);
	for (int i = 0; i < BLOCK; i++)
		sum += header[i];
	snprintf(text, sizeof text, "%06o", sum & 0777777);
	memcpy(header + 148, text, 7);
}

static void correct_end(uint8_t *data, const uint8_t *header, size_t size, uint64_t members)
{
	size_t begin = (size_t)(header - data) + BLOCK, length;
	uint8_t digest[DIGEST_SHA256_BYTES];
	char text[STREAM_END_TEXT_MAX];

	digest_sha256(data, begin, digest);
	length = stream_end_text(members, begin, digest, text);
	if (begin + length <= size)
		memcpy(data + begin, text, length);
}

static void correct(uint8_t *data, size_t size)
{
	uint64_t members = 0;

	for (size_t at = 0; at + BLOCK <= size && is_header(data + at);) {
		size_t blocks = 1 + (content_length(data + at) + BLOCK - 1) / BLOCK;

		correct_checksum(data + at);
		if (memcmp(data + at, STREAM_END, sizeof STREAM_END) == 0)
			correct_end(data, data + at, size, members);
		members += data[at + 156] != 'x';
		at = blocks > (size - at) / BLOCK ? size : at + blocks * BLOCK;
	}
}

/* ---- one input ---- */

struct told {
	uint8_t options;
};

static int tell(void *userdata, struct stream_plan *plan, struct stream_error *error)
{
	const struct told *told = userdata;
	bool over = told->options & OPTION_OVER;
	CLEANUP_FD int from = -1;
	CLEANUP_FD int to = -1;

	plan->privileged = told->options & OPTION_PRIVILEGED;
	plan->base = told->options & OPTION_BASE;
	plan->entries_max = 2000;
	MUST(stream_plan_add(plan, A, over) == 0);
	if (told->options & OPTION_SECOND)
		MUST(stream_plan_add(plan, B, false) == 0);
	if (!over)
		return 0;
	MUST(tree_make_directories(AT_FDCWD, LAYER, 0700) >= 0);
	from = open("from", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	to = open(LAYER, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	MUST(from >= 0 && to >= 0);
	return stream_copy_tree(from, to, error);
}

static bool is_one_of(const char *name, const char *const *names)
{
	while (*names && !text_equal(*names, name))
		names++;
	return *names;
}

static void check_names(const char *directory, const char *const *allowed)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	CLEANUP_FD int fd = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return;
	MUST(tree_list_names(fd, &names) == 0);
	for (size_t i = 0; i < names.count; i++)
		MUST(is_one_of(names.items[i], allowed));
}

static void check_file(const char *path, const char *content)
{
	CLEANUP_FREE char *text = NULL;
	struct stat st;

	MUST(lstat(path, &st) == 0 && S_ISREG(st.st_mode) && (st.st_mode & 07777) == 0640 && st.st_uid == 7);
	MUST(file_read(AT_FDCWD, path, 100, &text, NULL) == 0 && text_equal(text, content));
}

/* A device where none was allowed, wherever. */
static void check_tree(int dir_fd, const char *name, bool privileged)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	CLEANUP_FD int fd = -1;
	struct stat st;

	MUST(fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0);
	if (!privileged)
		MUST(!S_ISBLK(st.st_mode) && (!S_ISCHR(st.st_mode) || st.st_rdev == 0));
	if (!S_ISDIR(st.st_mode))
		return;
	fd = openat(dir_fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	MUST(fd >= 0 && fgetxattr(fd, "trusted.overlay.redirect", NULL, 0) < 0);
	MUST(tree_list_names(fd, &names) == 0);
	for (size_t i = 0; i < names.count; i++)
		check_tree(fd, names.items[i], privileged);
}

static void check(uint8_t options)
{
	static const char *const here[] = { "from", "out", "outside", NULL };
	static const char *const out[] = { "layers", "base", "container.conf", "layerbox-stream", "snapshots", NULL };
	static const char *const layers[] = { A, B, NULL };
	static const char *const from[] = { "d", "f", "l", "w", NULL };
	static const char *const victims[] = { "victim", NULL };

	check_names(".", here);
	check_names("out", out);
	check_names("out/layers", layers);
	check_names("from", from);
	check_names("outside", victims);
	check_file("outside/victim", "secret");
	check_file("from/f", "of another layer");
	check_tree(AT_FDCWD, "out", options & OPTION_PRIVILEGED);
}

static int stream_fd(const uint8_t *data, size_t size)
{
	static int fd = -1;

	if (fd < 0)
		fd = memfd_create("stream", MFD_CLOEXEC);
	MUST(fd >= 0 && ftruncate(fd, 0) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	MUST(fd_write_all(fd, data, size) == 0 && lseek(fd, 0, SEEK_SET) == 0);
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	CLEANUP_FREE uint8_t *copy = NULL;
	CLEANUP_FD int out = -1;
	struct stream_error error = { 0 };
	struct told told;
	int r;

	if (size < 1)
		return 0;
	told.options = *data;
	copy = malloc(size);
	MUST(copy);
	memcpy(copy, data + 1, size - 1);
	if (!(told.options & OPTION_RAW))
		correct(copy, size - 1);
	MUST(tree_remove(AT_FDCWD, "out") == 0 && mkdir("out", 0700) == 0);
	out = open("out", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	r = stream_unpack(stream_fd(copy, size - 1), out, tell, &told, &error);
	MUST(r == 0 || (r == -(int)error.status && error.status >= STREAM_FAILED && error.status <= STREAM_BAD));
	MUST(r == 0 || *error.text);
	check(told.options);
	return 0;
}

/* ---- mutations ---- */

static const char *const words[] = {
	"layers/1/",       "layers/1/d",
	"layers/1/d/",     "layers/1/d/f",
	"layers/1/f",      "layers/1/l/victim",
	"layers/1/../x",   "layers/1/.layerbox-gone",
	"layers/2/",       "layers/2/f",
	"layers/../outside/x", "base/",
	"base/manifest",       "base/rootfs/",
	"base/rootfs/../../x", "snapshots/x",
	"container.conf",      "layerbox-stream",
	"layerbox-end",        "/tmp/x",
	"../outside/victim",   "../../../../../../outside",
	STREAM_PLACEHOLDER,
};

static const char *random_word(unsigned seed)
{
	return words[seed % (sizeof words / sizeof *words)];
}

/* Another name, type or target in some header. */
static size_t mutate_header(uint8_t *data, size_t size, unsigned seed)
{
	size_t blocks = size / BLOCK, block = blocks ? seed / 64 % blocks : 0;
	uint8_t *header = data + block * BLOCK;
	static const char types[] = "0123456xgKL";

	if (!blocks || !is_header(header))
		return size;
	if (seed % 3 == 0) {
		memset(header, 0, 100);
		memcpy(header, random_word(seed >> 8), strlen(random_word(seed >> 8)));
	} else if (seed % 3 == 1) {
		memset(header + 157, 0, 100);
		memcpy(header + 157, random_word(seed >> 8), strlen(random_word(seed >> 8)));
	} else {
		header[156] = (uint8_t)types[(seed >> 8) % (sizeof types - 1)];
	}
	return size;
}

/* Some member once more, somewhere else. */
static size_t copy_member(uint8_t *data, size_t size, size_t max, unsigned seed)
{
	struct member members[MEMBERS_MAX];
	size_t count = find_members(data, size, members);
	const struct member *from, *to;
	uint8_t *copy;

	if (count == 0)
		return size;
	from = &members[seed / 64 % count];
	to = &members[seed / 4096 % count];
	if (size + from->length > max || !(copy = malloc(from->length)))
		return size;
	memcpy(copy, from->begin, from->length);
	memmove(to->begin + from->length, to->begin, (size_t)(data + size - to->begin));
	memcpy(to->begin, copy, from->length);
	free(copy);
	return size + from->length;
}

static size_t drop_member(uint8_t *data, size_t size, unsigned seed)
{
	struct member members[MEMBERS_MAX];
	size_t count = find_members(data, size, members);
	const struct member *member;

	if (count < 2)
		return size;
	member = &members[seed / 64 % count];
	memmove(member->begin, member->begin + member->length, (size_t)(data + size - member->begin) - member->length);
	return size - member->length;
}

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed)
{
	if (size < 1 + BLOCK || seed % 8 < 3)
		return LLVMFuzzerMutate(data, size, max);
	if (seed % 8 == 3)
		return 1 + copy_member(data + 1, size - 1, max - 1, seed);
	if (seed % 8 == 4)
		return 1 + drop_member(data + 1, size - 1, seed);
	if (seed % 8 == 5)
		data[0] = (uint8_t)(seed >> 3);
	else if (seed % 8 == 6) /* within a block, so that all others stay where they are */
		LLVMFuzzerMutate(data + 1 + seed / 64 % ((size - 1) / BLOCK) * BLOCK, BLOCK, BLOCK);
	return 1 + mutate_header(data + 1, size - 1, seed / 8);
}

/* ---- where it happens ---- */

static void put(const char *path, const char *text)
{
	CLEANUP_FD int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0640);

	MUST(fd >= 0 && fd_write_all(fd, text, strlen(text)) == 0 && fchown(fd, 7, 7) == 0);
}

/* In memory, in a mount namespace of its own. All paths in the arguments must be absolute. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	(void)argc;
	(void)argv;
	umask(0);
	MUST(unshare(CLONE_NEWNS) == 0 && mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) == 0);
	MUST(mount("tmpfs", "/mnt", "tmpfs", 0, "mode=755,size=64m") == 0 && chdir("/mnt") == 0);
	MUST(mkdir("outside", 0755) == 0 && mkdir("from", 0755) == 0 && mkdir("from/d", 0755) == 0);
	put("outside/victim", "secret");
	put("from/f", "of another layer");
	put("from/d/f", "of another layer");
	MUST(symlink("../outside", "from/l") == 0 && mknod("from/w", S_IFCHR, 0) == 0);
	return 0;
}
