/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * layerbox-files - copies a file or tree between the host and a container.
 *
 *   layerbox-files push ROOT NAME SOURCE DESTINATION
 *   layerbox-files pull ROOT NAME SOURCE DESTINATION
 *
 * Two processes and a pipe: one stays on the host, the other becomes root of the container, and an archive goes
 * from one to the other. So neither side ever opens a path of the other's. One sentence and status 1 on failure.
 */
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "archive-pack.h"
#include "archive-unpack.h"
#include "enter.h"
#include "util/tree.h"

/* One end of the copy: a path as its side sees it, taken apart. */
struct place {
	char *directory;
	char *name;                   /* NULL where the path is a directory that things are put into */
};

static int split(const char *path, bool is_destination, struct place *ret_place)
{
	CLEANUP_FREE char *copy = strdup(path);
	size_t n = strlen(path);
	struct stat st;
	char *slash;

	if (is_destination && ((n && path[n - 1] == '/') || (stat(path, &st) == 0 && S_ISDIR(st.st_mode)))) {
		*ret_place = (struct place){ .directory = strdup(path) };
		return ret_place->directory ? 0 : -ENOMEM;
	}
	while (copy && n > 1 && copy[n - 1] == '/')
		copy[--n] = '\0';
	slash = copy ? strrchr(copy, '/') : NULL;
	ret_place->name = strdup(slash ? slash + 1 : copy);
	if (slash)
		slash[slash == copy] = '\0';
	ret_place->directory = strdup(slash ? copy : ".");
	if (ret_place->name && (!*ret_place->name || strcmp(ret_place->name, "..") == 0))
		return -EINVAL;
	return ret_place->directory && ret_place->name ? 0 : -ENOMEM;
}

static void place_free(struct place *place)
{
	free(place->directory);
	free(place->name);
}

static int open_place(const struct place *place)
{
	return open(place->directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static int complain(const char *what, const char *path, int error)
{
	fprintf(stderr, "%s %s: %s\n", what, path, strerrordesc_np(error));
	return EXIT_FAILURE;
}

/* Writes @path's archive to @out_fd; its topmost entry is called "item". */
static int send_from(const char *path, int out_fd)
{
	CLEANUP(place_free) struct place place = { 0 };
	int r = split(path, false, &place);
	CLEANUP_FD int fd = -1;
	char error[1024];
	struct stat st;

	if (r < 0)
		return complain("cannot copy", path, -r);
	fd = open_place(&place);
	if (fd < 0)
		return complain("cannot open the directory of", path, errno);
	if (fstatat(fd, place.name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return complain("cannot read", path, errno);
	if (archive_pack(out_fd, fd, place.name, "item", error, sizeof error) < 0) {
		fprintf(stderr, "%s\n", error);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

/*
 * Unpacks the archive beside the destination under a name of its own, and moves it into place when all of it has
 * arrived: a copy that breaks off leaves what was there.
 */
static int receive_to(const char *path, const char *source_name, int in_fd)
{
	const struct archive_unpack_options options = { 0 };
	CLEANUP_FREE char *hidden = text_format(".layerbox.%d", getpid());
	CLEANUP(place_free) struct place place = { 0 };
	int r = split(path, true, &place);
	CLEANUP_FD int fd = -1;
	CLEANUP_FD int temporary_fd = -1;
	char error[1024];

	if (r < 0 || !hidden)
		return complain("cannot copy to", path, -r);
	fd = open_place(&place);
	if (fd < 0)
		return complain("cannot open the directory", place.directory, errno);
	if (mkdirat(fd, hidden, 0700) < 0)
		return complain("cannot write to the directory", place.directory, errno);
	temporary_fd = openat(fd, hidden, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	r = temporary_fd < 0 ? -errno : archive_unpack(in_fd, temporary_fd, &options, error, sizeof error);
	if (r < 0)
		fprintf(stderr, "%s\n", error);
	else if (renameat(temporary_fd, "item", fd, place.name ? place.name : source_name) < 0)
		r = -complain("cannot put into place (an existing directory is not replaced)",
			      place.name ? place.name : source_name, errno);
	if (temporary_fd >= 0)
		tree_remove(fd, hidden);
	return r < 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}

struct copy {
	bool push;
	const char *root, *name, *source, *destination;
};

static int inside(const struct copy *copy, const char *source_name, int fd)
{
	struct lb_context *ctx;
	int r = lb_context_new(&(struct lb_context_options){ .size = sizeof(struct lb_context_options),
							     .root = copy->root },
			       &ctx);

	if (r == 0)
		r = enter_container(ctx, copy->name);
	if (r < 0) {
		fprintf(stderr, "%s\n", lb_context_error(ctx));
		return EXIT_FAILURE;
	}
	return copy->push ? receive_to(copy->destination, source_name, fd) : send_from(copy->source, fd);
}

static int run(const struct copy *copy)
{
	CLEANUP_FREE char *source = strdup(copy->source);
	const char *source_name = source ? basename(source) : "";
	int fds[2], result, status, reading = copy->push ? 0 : 1;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return complain("cannot copy", copy->source, errno);
	pid = fork();
	if (pid < 0)
		return complain("cannot copy", copy->source, errno);
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(fds[!reading]);
		_exit(inside(copy, source_name, fds[reading]));
	}
	close(fds[reading]);
	result = copy->push ? send_from(copy->source, fds[1]) : receive_to(copy->destination, source_name, fds[0]);
	close(fds[!reading]);
	if (waitpid(pid, &status, 0) < 0 || !WIFEXITED(status) || WEXITSTATUS(status) != EXIT_SUCCESS)
		return EXIT_FAILURE;
	return result;
}

int main(int argc, char **argv)
{
	struct copy copy;

	if (argc != 6 || (strcmp(argv[1], "push") != 0 && strcmp(argv[1], "pull") != 0)) {
		fprintf(stderr, "layerbox-files: is run by layerbox only\n");
		return 2;
	}
	signal(SIGPIPE, SIG_IGN); /* the other side says why it ended */
	copy = (struct copy){ strcmp(argv[1], "push") == 0, argv[2], argv[3], argv[4], argv[5] };
	return run(&copy);
}
