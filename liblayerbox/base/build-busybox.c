/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "build.h"

#include <elf.h>
#include <fcntl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "../util/spawn.h"
#include "../util/tree.h"

static const struct {
	const char *path;
	mode_t mode;
} directories[] = {
	{ "bin", 0755 },  { "sbin", 0755 },    { "usr", 0755 },     { "usr/bin", 0755 },  { "usr/sbin", 0755 },
	{ "etc", 0755 },  { "dev", 0755 },     { "proc", 0555 },    { "sys", 0555 },      { "run", 0755 },
	{ "tmp", 01777 }, { "root", 0700 },    { "home", 0755 },    { "mnt", 0755 },      { "srv", 0755 },
	{ "var", 0755 },  { "var/log", 0755 }, { "var/lib", 0755 }, { "var/tmp", 01777 },
};

/* One file for both word sizes: where the program headers are. */
struct elf_headers {
	uint64_t offset;
	size_t entry_size, count;
};

static bool read_headers(int fd, struct elf_headers *ret)
{
	union {
		unsigned char ident[EI_NIDENT];
		Elf64_Ehdr wide;
		Elf32_Ehdr narrow;
	} header;

	if (pread(fd, &header, sizeof header, 0) != (ssize_t)sizeof header ||
	    memcmp(header.ident, ELFMAG, SELFMAG) != 0)
		return false;
	if (header.ident[EI_CLASS] == ELFCLASS64)
		*ret = (struct elf_headers){ header.wide.e_phoff, header.wide.e_phentsize, header.wide.e_phnum };
	else
		*ret = (struct elf_headers){ header.narrow.e_phoff, header.narrow.e_phentsize, header.narrow.e_phnum };
	return true;
}

/* A program is linked statically when it names no interpreter: PT_INTERP is the first word of no header. */
static bool is_static(int fd)
{
	struct elf_headers headers;

	if (!read_headers(fd, &headers))
		return false;
	for (size_t i = 0; i < headers.count; i++) {
		uint32_t type;

		if (pread(fd, &type, sizeof type, (off_t)(headers.offset + i * headers.entry_size)) != sizeof type ||
		    type == PT_INTERP)
			return false;
	}
	return true;
}

static int open_busybox(struct lb_context *ctx, char **ret_path)
{
	CLEANUP_FREE char *path = NULL;
	CLEANUP_FD int fd = -1;

	if (!spawn_find("busybox", &path))
		return fail(ctx, -LB_ERR_NO_PROGRAM, "busybox is not installed; `apt install busybox-static`");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return fail_errno(ctx, errno, "cannot open %s", path);
	if (!is_static(fd))
		return fail(ctx, -LB_ERR_NO_PROGRAM,
			    "%s needs shared libraries, which the base would not have; "
			    "`apt install busybox-static`",
			    path);
	*ret_path = TAKE_PTR(path);
	return take_fd(&fd);
}

static int copy_program(struct lb_context *ctx, int source, int tree_fd)
{
	CLEANUP_FD int fd = openat(tree_fd, "bin/busybox", O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0755);
	struct stat st;
	ssize_t n = 1;

	if (fd < 0 || fstat(source, &st) < 0 || fchmod(fd, 0755) < 0)
		return fail_errno(ctx, errno, "cannot copy busybox into the base");
	for (off_t left = st.st_size; left > 0 && n > 0; left -= n)
		n = sendfile(fd, source, NULL, (size_t)left);
	if (n < 0)
		return fail_errno(ctx, errno, "cannot copy busybox into the base");
	return 0;
}

static int make_directories(struct lb_context *ctx, int tree_fd)
{
	for (size_t i = 0; i < sizeof directories / sizeof *directories; i++)
		if (mkdirat(tree_fd, directories[i].path, 0700) < 0 ||
		    fchmodat(tree_fd, directories[i].path, directories[i].mode, 0) < 0)
			return fail_errno(ctx, errno, "cannot make /%s in the base", directories[i].path);
	return 0;
}

/* One link per program, relative, in the directory where busybox would put it: usr/bin/env -> ../../bin/busybox. */
static void link_applet(const char *line, void *userdata)
{
	const int *tree_fd = userdata;
	char target[64] = "";

	for (const char *slash = strchr(line, '/'); slash; slash = strchr(slash + 1, '/'))
		if (strlen(target) < sizeof target - sizeof "../bin/busybox")
			strcat(target, "../");
	strcat(target, "bin/busybox");
	if (*line != '/' && strchr(line, '/') && !strstr(line, "..") && !text_equal(line, "bin/busybox"))
		(void)!symlinkat(target, *tree_fd, line);
}

int build_busybox(struct lb_context *ctx, const struct recipe *recipe, struct staging *staging)
{
	struct spawn_options options = { .on_line = link_applet, .userdata = &staging->tree_fd };
	CLEANUP_FREE char *path = NULL;
	CLEANUP_FD int source = open_busybox(ctx, &path);
	int status, r;

	if (source < 0)
		return source;
	progress(ctx, 0, "copying %s", path);
	r = make_directories(ctx, staging->tree_fd);
	if (r == 0)
		r = copy_program(ctx, source, staging->tree_fd);
	if (r < 0)
		return r;
	r = spawn_run((const char *const[]){ path, "--list-full", NULL }, &options, &status, NULL);
	if (r < 0)
		return fail_errno(ctx, r, "cannot run %s", path);
	if (status != 0 || faccessat(staging->tree_fd, "sbin/init", F_OK, AT_SYMLINK_NOFOLLOW) < 0)
		return fail(ctx, -LB_ERR_PROGRAM_FAILED,
			    "%s has no init, or does not list its programs (recipe '%s'); "
			    "`apt install busybox-static`",
			    path, recipe->name);
	return 0;
}
