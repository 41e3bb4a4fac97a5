/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "inside-files.h"

#include <fcntl.h>

#include "adapters/inside.h"
#include "util/file.h"
#include "util/template.h"
#include "util/text.h"
#include "util/tree.h"

/* ---- laid and taken away ---- */

static int open_directory_of(const char *path)
{
	CLEANUP_FREE char *directory = strdup(path);

	if (!directory)
		return -1;
	*strrchr(directory, '/') = '\0';
	return open(*directory ? directory : "/", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

void inside_lay_file(const char *path, const char *content, mode_t mode, struct laid_file *laid)
{
	CLEANUP_FD int directory_fd = open_directory_of(path);
	CLEANUP_FD int fd = -1;
	struct stat before, since;

	*laid = (struct laid_file){ .directory_fd = -1 };
	if (directory_fd < 0 || fstat(directory_fd, &before) < 0 ||
	    file_create(directory_fd, strrchr(path, '/') + 1, content, strlen(content), mode, &fd) < 0)
		return;
	if (fstat(directory_fd, &since) < 0)
		return;
	*laid = (struct laid_file){ path, take_fd(&directory_fd), before.st_mtim, since.st_mtim, content };
}

/* By content: another file may have the number of its inode, and the same tick of the clock. */
static bool is_as_laid(const struct laid_file *laid, const char *name)
{
	CLEANUP_FREE char *text = NULL;
	size_t length, expected = strlen(laid->content);

	return file_read(laid->directory_fd, name, expected, &text, &length) == 0 && length == expected &&
	       memcmp(text, laid->content, length) == 0;
}

void inside_take_file(struct laid_file *laid)
{
	const char *name = laid->path ? strrchr(laid->path, '/') + 1 : NULL;
	struct timespec times[2] = { { .tv_nsec = UTIME_OMIT }, laid->before };
	struct stat now;

	if (name && fstat(laid->directory_fd, &now) == 0 && is_as_laid(laid, name) &&
	    unlinkat(laid->directory_fd, name, 0) == 0 && now.st_mtim.tv_sec == laid->since.tv_sec &&
	    now.st_mtim.tv_nsec == laid->since.tv_nsec)
		(void)!futimens(laid->directory_fd, times);
	close_fd(laid->directory_fd);
	laid->path = NULL;
}

void inside_fill_link(const char *path, const char *content)
{
	CLEANUP_FREE char *directory = NULL;
	CLEANUP_FREE char *file = NULL;
	char target[512];
	ssize_t n = readlink(path, target, sizeof target - 1);
	const char *rest;

	target[n > 0 ? n : 0] = '\0';
	rest = text_after(target, *target == '/' ? "/run/" : "../run/");
	if (!rest || strstr(rest, ".."))
		return;
	file = text_format("/run/%s", rest);
	directory = file ? strdup(file) : NULL;
	if (!directory)
		return;
	*strrchr(directory, '/') = '\0';
	if (tree_make_directories(AT_FDCWD, directory, 0755) >= 0)
		(void)!file_write(AT_FDCWD, file, content, strlen(content), 0644, FILE_LAZY);
}

/* ---- numbers of system accounts ---- */

/* Each calls its namesake further on in PATH. Only Debian's adduser reads a configuration: busybox's has none. */
static const char adduser[] = "#!/bin/sh\n"
			      "PATH=${PATH#" INSIDE_PATH ":}\n"
			      "[ -e /usr/share/perl5/Debian/AdduserCommon.pm ] || exec ${0##*/} \"$@\"\n"
			      "conf=/run/layerbox/adduser.conf\n"
			      "{\n"
			      "\t[ ! -e /etc/adduser.conf ] || cat /etc/adduser.conf\n"
			      "\techo\n"
			      "\techo FIRST_SYSTEM_UID={{first}}\n"
			      "\techo LAST_SYSTEM_UID={{last}}\n"
			      "\techo FIRST_SYSTEM_GID={{first}}\n"
			      "\techo LAST_SYSTEM_GID={{last}}\n"
			      "} > $conf\n"
			      "exec ${0##*/} --conf $conf \"$@\"\n";
static const char useradd[] = "#!/bin/sh\n"
			      "PATH=${PATH#" INSIDE_PATH ":}\n"
			      "exec ${0##*/} -K SYS_UID_MIN={{first}} -K SYS_UID_MAX={{last}} -K SYS_GID_MIN={{first}} "
			      "-K SYS_GID_MAX={{last}} \"$@\"\n";
/* sysusers.d(5), r: the pool of numbers; files that are named on the command line are the only ones that count. */
static const char sysusers[] = "#!/bin/sh\n"
			       "PATH=${PATH#" INSIDE_PATH ":}\n"
			       "pool=/run/sysusers.d/layerbox.conf named=\n"
			       "for word; do\n"
			       "\tcase $word in\n"
			       "\t--inline) pool='r - {{first}}-{{last}}' ;;\n"
			       "\t-) named=yes ;;\n"
			       "\t-*) ;;\n"
			       "\t*) named=yes ;;\n"
			       "\tesac\n"
			       "done\n"
			       "[ -z \"$named\" ] || set -- \"$@\" \"$pool\"\n"
			       "exec ${0##*/} \"$@\"\n";
static const char sysusers_pool[] = "r - {{first}}-{{last}}\n";
/* Nothing that is lost in a power cut was sealed: dpkg need not wait for the disk after each file. */
static const char apt[] =
	"DPkg::Path \"" INSIDE_PATH ":/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\";\n"
	"DPkg::Options { \"--force-unsafe-io\"; };\n"
	"DPkg::Use-Pty \"false\";\n";

static const struct {
	const char *path, *content;
	mode_t mode;
} account_files[] = {
	{ INSIDE_PATH "/adduser", adduser, 0755 },
	{ INSIDE_PATH "/addgroup", adduser, 0755 },
	{ INSIDE_PATH "/useradd", useradd, 0755 },
	{ INSIDE_PATH "/groupadd", useradd, 0755 },
	{ INSIDE_PATH "/systemd-sysusers", sysusers, 0755 },
	{ "/run/sysusers.d/layerbox.conf", sysusers_pool, 0644 },
	{ INSIDE_APT_CONFIG, apt, 0644 },
};

int inside_make_account_programs(unsigned ids_first, unsigned ids_last)
{
	char first[16], last[16], error[256];
	const struct template_variable variables[] = { { "first", first, 0 }, { "last", last, 0 }, { 0 } };
	int r = tree_make_directories(AT_FDCWD, INSIDE_PATH, 0755);

	snprintf(first, sizeof first, "%u", ids_first);
	snprintf(last, sizeof last, "%u", ids_last);
	if (r >= 0)
		r = tree_make_directories(AT_FDCWD, "/run/sysusers.d", 0755);
	for (size_t i = 0; r >= 0 && i < sizeof account_files / sizeof *account_files; i++) {
		CLEANUP_FREE char *text = NULL;

		r = template_render(account_files[i].content, account_files[i].path, variables, &text, error,
				    sizeof error);
		if (r == 0)
			r = file_write(AT_FDCWD, account_files[i].path, text, strlen(text), account_files[i].mode,
				       FILE_LAZY);
	}
	return r < 0 ? r : 0;
}
