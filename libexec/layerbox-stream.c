/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * Writes and reads streams for liblayerbox; docs/streams.md has the format. Where it fails, one sentence on standard
 * error and status 1, 2 when no space is left, or 3 when the stream is damaged or not to be trusted.
 *
 *     layerbox-stream pack [--plain|--masked]   a stream on standard output, compressed, or plain, or masked for who
 *                                        compresses it (stream-mask.h); standard input says in lines what goes into it:
 *
 *         file NAME LENGTH               a small file; so many bytes and a newline follow
 *         tree PREFIX DIRECTORY          all that is in a directory
 *         difference PREFIX DIRECTORY FROM [STATES]
 *                                        what differs between two layers; STATES: the directory of FROM's layer,
 *                                        which knows what its live copy was made of
 *         end                            the stream is complete
 *
 *     layerbox-stream unpack DIRECTORY   a stream from standard input into an empty directory. When the small files
 *                                        it begins with are there, it writes "ready" to standard output and reads
 *                                        lines from descriptor 3, which say what is accepted:
 *
 *         layer ID                       a layer, as layers/ID/rootfs-layer; in the stream its members are called
 *                                        layers/NUMBER/..., counted from 1 as they are accepted here
 *         from ID PATH                   the same, which comes as the difference to the tree PATH
 *         base                           files of a generation
 *         privileged                     devices, and trusted.* attributes
 *         limit entries NUMBER           files of all kinds, together
 *         go                             that is all
 *
 * Words are separated by single spaces; a backslash and three octal digits stand for any byte.
 */
#include <fcntl.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "confine.h"
#include "snapshot/layer.h"
#include "stream-copy.h"
#include "stream-line.h"
#include "stream-pack.h"
#include "stream-unpack.h"
#include "util/tree.h"

enum { PLAN_FD = 3, MODE = 0700 };

static int complain(const struct stream_error *error)
{
	fprintf(stderr, "%s\n", error->text);
	return (int)error->status;
}

/* Directories that are worked in are held open. */
static void allow_many_files(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) == 0) {
		limit.rlim_cur = limit.rlim_max;
		setrlimit(RLIMIT_NOFILE, &limit);
	}
}

/* ---- pack ---- */

static int run_pack(enum stream_form form)
{
	struct stream_error error;

	return stream_pack(stdin, STDOUT_FILENO, form, &error) < 0 ? complain(&error) : 0;
}

/* ---- the one who links ---- */

/*
 * A link cannot be made between two mounts, and he who unpacks sees only his own. So another process, begun before
 * anything of the stream was read, links what differences are based on. Both speak in whole packets.
 */
struct linker {
	pid_t pid;
	int fd;
};

struct link_request {
	char id[LAYER_ID_SIZE];
	char path[];
};

enum { REQUEST_MAX = 16 * 1024 };

static int make_place(int dir_fd, const char *id)
{
	char path[LAYER_ID_SIZE + 32];
	int r;

	snprintf(path, sizeof path, "layers/%.*s/" LAYER_TREE, LAYER_ID_LENGTH, id);
	r = tree_make_directories(dir_fd, path, MODE);
	return r < 0 ? r : tree_open_beneath(dir_fd, path, O_RDONLY | O_DIRECTORY);
}

static int link_tree(int dir_fd, const struct link_request *request, struct stream_error *error)
{
	CLEANUP_FD int from = open(request->path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	CLEANUP_FD int to = -1;

	if (from < 0)
		return stream_fail_errno(error, STREAM_FAILED, errno, "cannot open %s", request->path);
	to = make_place(dir_fd, request->id);
	if (to < 0)
		return stream_fail_errno(error, STREAM_FAILED, -to, "cannot make layer %s", request->id);
	return stream_copy_tree(from, to, error);
}

static int serve_links(int dir_fd, int fd)
{
	static char packet[REQUEST_MAX + 1];
	ssize_t n;

	while ((n = recv(fd, packet, REQUEST_MAX, 0)) > 0) {
		struct stream_error error = { 0 };

		packet[n] = '\0';
		link_tree(dir_fd, (const struct link_request *)(const void *)packet, &error);
		if (send(fd, &error, sizeof error, MSG_NOSIGNAL) < 0)
			return 1;
	}
	return n < 0;
}

static int linker_begin(const char *directory, struct linker *ret_linker)
{
	CLEANUP_FD int dir_fd = open(directory, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int fds[2];
	pid_t pid;

	if (dir_fd < 0 || socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, fds) < 0 || (pid = fork()) < 0)
		return -errno;
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		close(fds[0]);
		close(STDIN_FILENO);
		close(STDOUT_FILENO);
		close(PLAN_FD);
		_exit(serve_links(dir_fd, fds[1]));
	}
	close(fds[1]);
	*ret_linker = (struct linker){ pid, fds[0] };
	return 0;
}

static void linker_end(struct linker *linker)
{
	close(linker->fd);
	while (waitpid(linker->pid, NULL, 0) < 0 && errno == EINTR)
		;
}

static int linker_ask(const struct linker *linker, const char *id, const char *path, struct stream_error *error)
{
	size_t length = sizeof(struct link_request) + strlen(path);
	CLEANUP_FREE struct link_request *request = calloc(1, length + 1);
	struct stream_error answer;

	if (!request)
		return stream_fail(error, STREAM_FAILED, "out of memory");
	text_copy(request->id, sizeof request->id, id);
	memcpy(request->path, path, strlen(path));
	if (length > REQUEST_MAX || send(linker->fd, request, length, MSG_NOSIGNAL) < 0 ||
	    recv(linker->fd, &answer, sizeof answer, MSG_WAITALL) != (ssize_t)sizeof answer)
		return stream_fail(error, STREAM_FAILED, "cannot link the files of %s", path);
	if (!answer.status)
		return 0;
	*error = answer;
	return -(int)error->status;
}

/* ---- unpack ---- */

static int plan_layer(struct stream_plan *plan, const char *id, const char *from, const struct linker *linker,
		      struct stream_error *error)
{
	if (stream_plan_add(plan, id, from != NULL) < 0)
		return stream_fail(error, STREAM_FAILED, "out of memory");
	return from ? linker_ask(linker, id, from, error) : 0;
}

static int plan_line(struct stream_plan *plan, struct stream_line *line, const struct linker *linker,
		     struct stream_error *error)
{
	const char *word = stream_line_next(line), *first = stream_line_next(line), *second = stream_line_next(line);
	bool is_id = first && layer_id_is_valid(first), alone = word && !first && !line->rest;

	if (alone && text_equal(word, "base"))
		plan->base = true;
	else if (alone && text_equal(word, "privileged"))
		plan->privileged = true;
	else if (is_id && text_equal(word, "layer") && !second)
		return plan_layer(plan, first, NULL, linker, error);
	else if (is_id && text_equal(word, "from") && second && !line->rest)
		return plan_layer(plan, first, second, linker, error);
	else if (!word || !text_equal(word, "limit") || !first || !text_equal(first, "entries") || !second ||
		 !text_to_number(second, 0, UINT64_MAX, &plan->entries_max))
		return stream_fail(error, STREAM_FAILED, "cannot understand the plan: %.200s",
				   word ? word : "an empty line");
	return 0;
}

static int read_plan(void *userdata, struct stream_plan *plan, struct stream_error *error)
{
	CLEANUP_FILE FILE *file = fdopen(PLAN_FD, "re");
	CLEANUP_STREAM_LINE struct stream_line line = { 0 };
	int r;

	if (!file || write(STDOUT_FILENO, "ready\n", 6) != 6)
		return stream_fail_errno(error, STREAM_FAILED, errno, "cannot ask what to accept");
	while ((r = stream_line_read(&line, file)) > 0) {
		if (text_equal(line.text, "go"))
			return 0;
		r = plan_line(plan, &line, userdata, error);
		if (r < 0)
			return r;
	}
	return stream_fail(error, STREAM_FAILED, "nobody says what to accept of the stream");
}

static int run_unpack(const char *directory)
{
	struct stream_error error;
	struct linker linker;
	CLEANUP_FD int fd = -1;
	int r = linker_begin(directory, &linker);

	if (r < 0) {
		stream_fail_errno(&error, STREAM_FAILED, -r, "cannot prepare %s", directory);
		return complain(&error);
	}
	fd = confine_writes_to(directory);
	if (fd < 0)
		r = stream_fail_errno(&error, STREAM_FAILED, errno, "cannot prepare %s", directory);
	else
		r = stream_unpack(STDIN_FILENO, fd, read_plan, &linker, &error);
	linker_end(&linker);
	return r < 0 ? complain(&error) : 0;
}

int main(int argc, char **argv)
{
	signal(SIGPIPE, SIG_IGN);
	allow_many_files();
	umask(0);
	if (argc == 2 && text_equal(argv[1], "pack"))
		return run_pack(STREAM_COMPRESSED);
	if (argc == 3 && text_equal(argv[1], "pack") && text_equal(argv[2], "--plain"))
		return run_pack(STREAM_PLAIN);
	if (argc == 3 && text_equal(argv[1], "pack") && text_equal(argv[2], "--masked"))
		return run_pack(STREAM_MASKED);
	if (argc == 3 && text_equal(argv[1], "unpack") && fcntl(PLAN_FD, F_GETFD) >= 0)
		return run_unpack(argv[2]);
	fprintf(stderr, "usage: layerbox-stream pack [--plain|--masked] | unpack DIRECTORY; it is run by layerbox\n");
	return 1;
}
