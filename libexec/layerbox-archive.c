/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Copies whole trees for liblayerbox, which itself does not load libarchive. Where it fails, one sentence on
 * standard error and status 1, or 2 when no space is left.
 *
 *     layerbox-archive pack -- DIRECTORY            a pax archive of it on standard output
 *     layerbox-archive unpack -- ARCHIVE DIRECTORY  any archive, into an empty directory
 *     layerbox-archive copy -- SOURCE DIRECTORY     a directory into an empty one
 */
#include <fcntl.h>
#include <locale.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "archive-pack.h"
#include "archive-unpack.h"
#include "confine.h"
#include "util/text.h"

enum { MESSAGE_MAX = 1024, ID_MAX = 65535 };

static int complain(const char *message)
{
	fprintf(stderr, "%s\n", message);
	return 1;
}

static int complain_errno(const char *what, const char *path)
{
	fprintf(stderr, "%s %s: %s\n", what, path, strerrordesc_np(errno));
	return 1;
}

static int open_directory(const char *path)
{
	return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int pack_to(int out_fd, int directory_fd)
{
	char message[MESSAGE_MAX];

	if (archive_pack(out_fd, directory_fd, ".", NULL, message, sizeof message) < 0)
		return complain(message);
	return 0;
}

static int unpack_from(int in_fd, const char *directory, bool any_format)
{
	const struct archive_unpack_options options = {
		.any_format = any_format,
		.keep_owners = true,
		.id_max = ID_MAX,
	};
	CLEANUP_FD int fd = confine_writes_to(directory);
	char message[MESSAGE_MAX];
	int r;

	if (fd < 0)
		return complain_errno("cannot prepare", directory);
	r = archive_unpack(in_fd, fd, &options, message, sizeof message);
	if (r < 0)
		complain(message);
	return r == -ENOSPC ? 2 : r < 0;
}

static int run_pack(char **arguments)
{
	CLEANUP_FD int fd = open_directory(arguments[0]);

	return fd < 0 ? complain_errno("cannot open", arguments[0]) : pack_to(STDOUT_FILENO, fd);
}

static int run_unpack(char **arguments)
{
	CLEANUP_FD int fd = open(arguments[0], O_RDONLY | O_CLOEXEC);

	/* Names in archives are UTF-8 or bytes; in the C locale libarchive would refuse the former. */
	setlocale(LC_CTYPE, "C.UTF-8");
	return fd < 0 ? complain_errno("cannot open", arguments[0]) : unpack_from(fd, arguments[1], true);
}

static int run_copy(char **arguments)
{
	CLEANUP_FD int source = open_directory(arguments[0]);
	int fds[2], packed, status;
	pid_t pid;

	if (source < 0)
		return complain_errno("cannot open", arguments[0]);
	if (pipe2(fds, O_CLOEXEC) < 0 || (pid = fork()) < 0)
		return complain_errno("cannot copy", arguments[0]);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(fds[0]);
		_exit(pack_to(fds[1], source));
	}
	close(fds[1]);
	status = unpack_from(fds[0], arguments[1], false);
	close(fds[0]);
	if (waitpid(pid, &packed, 0) < 0 || (packed != 0 && status == 0))
		return 1; /* it has said why */
	return status;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		int (*run)(char **arguments);
		int arguments;
	} commands[] = {
		{ "pack", run_pack, 1 },
		{ "unpack", run_unpack, 2 },
		{ "copy", run_copy, 2 },
	};

	for (size_t i = 0; argc >= 3 && i < sizeof commands / sizeof *commands; i++)
		if (text_equal(argv[1], commands[i].name) && text_equal(argv[2], "--") &&
		    argc == 3 + commands[i].arguments)
			return commands[i].run(argv + 3);
	return complain("usage: layerbox-archive pack|unpack|copy -- ...; it is run by layerbox");
}
