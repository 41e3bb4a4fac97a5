/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "spawn.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "clock.h"
#include "file.h"
#include "text.h"

enum { OUTPUT_KEPT = 8192, LINE_MAX_SHOWN = 4096, THIRD_FD = 3, SLOW_BYTES = 64 << 10, SLOW_PAUSE_NS = 10000000 };

static bool is_program(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

bool spawn_find(const char *program, char **ret_path)
{
	static const char usual[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	const char *path = getenv("PATH");
	CLEANUP_FREE char *all = text_format("%s:%s", text_empty(path) ? "" : path, usual);
	char *save = NULL;

	if (strchr(program, '/')) {
		*ret_path = is_program(program) ? strdup(program) : NULL;
		return *ret_path != NULL;
	}
	if (!all)
		return false;
	for (char *dir = strtok_r(all, ":", &save); dir; dir = strtok_r(NULL, ":", &save)) {
		CLEANUP_FREE char *candidate = text_format("%s/%s", dir, program);

		if (candidate && *dir == '/' && is_program(candidate)) {
			*ret_path = TAKE_PTR(candidate);
			return true;
		}
	}
	return false;
}

int spawn_wait(pid_t pid, int *ret_status)
{
	int status;

	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	*ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return 0;
}

char *const *spawn_vector(const char *const *strings)
{
	union {
		const char *const *given;
		char *const *wanted;
	} vector = { .given = strings };

	return vector.wanted;
}

/* ---- in the child: only async-signal-safe calls, since the caller may have threads ---- */

static void child_fail(int report_fd)
{
	int error = errno;

	(void)!write(report_fd, &error, sizeof error);
	_exit(127);
}

/*
 * The first process of the new pid namespace: waits for the program and ends with its status; when it ends
 * in any way, the kernel kills what else lives in the namespace. _Fork(3), because fork(3) would take locks
 * that another thread of the caller held at the time; and no descriptor is kept but 0 to 2, because it would
 * keep the caller's locks and pipes alive.
 */
static void child_be_init(int report_fd)
{
	pid_t pid = _Fork();
	int status, result = 127;

	if (pid < 0)
		child_fail(report_fd);
	if (pid == 0)
		return;
	close_range(3, ~0U, 0);
	for (;;) {
		pid_t ended = wait(&status);

		if (ended < 0 && errno != EINTR)
			break;
		if (ended == pid)
			result = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
		if (ended == pid)
			break;
	}
	_exit(result);
}

static void child_enter_root(const char *root, int report_fd)
{
	if (chroot(root) < 0 || chdir("/") < 0)
		child_fail(report_fd);
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		child_fail(report_fd);
}

/* A caller without standard descriptors has ours in their place: moved up, dup2(2) cannot hit one of them. */
static int child_move_up(int fd, int report_fd)
{
	int moved = fcntl(fd, F_DUPFD_CLOEXEC, THIRD_FD + 1);

	if (moved < 0)
		child_fail(report_fd);
	return moved;
}

/* The program's own copies of the descriptors stay open over execve(2), not ours, which another thread could leak. */
static void child_inherit(const int *fds, int report_fd)
{
	for (; fds && *fds; fds++)
		if (fcntl(*fds, F_SETFD, 0) < 0)
			child_fail(report_fd);
}

static void child_run(const char *path, const char *const *argv, const struct spawn_options *options, const int *fds,
		      int report_fd)
{
	sigset_t none;
	int high[3], third = -1;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	if (!options->outlives_caller)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (options->own_session)
		setsid();
	report_fd = child_move_up(report_fd, report_fd);
	for (int i = 0; i < 3; i++)
		high[i] = child_move_up(fds[i], report_fd);
	if (options->third_fd)
		third = child_move_up(options->third_fd, report_fd);
	for (int i = 0; i < 3; i++)
		if (dup2(high[i], i) < 0)
			child_fail(report_fd);
	if (third >= 0 && dup2(third, THIRD_FD) < 0)
		child_fail(report_fd);
	child_inherit(options->inherited, report_fd);
	if (options->own_namespaces || options->root) {
		if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
			child_fail(report_fd);
		child_be_init(report_fd);
	}
	if (options->root)
		child_enter_root(options->root, report_fd);
	execve(path, spawn_vector(argv), options->env ? spawn_vector(options->env) : environ);
	child_fail(report_fd);
}

/* fork(2), into new namespaces where asked: clone(2) makes the child itself their first process. */
static pid_t fork_for(const struct spawn_options *options)
{
	if (options->own_namespaces || options->root)
		return (pid_t)syscall(SYS_clone, CLONE_NEWNS | CLONE_NEWPID | SIGCHLD, NULL, NULL, NULL, NULL);
	return fork();
}

/* ---- in the parent ---- */

struct output {
	struct buffer kept;           /* the last part of all output */
	bool is_kept;
	struct buffer line;
	size_t taken;                 /* since the last pause */
	const struct spawn_options *options;
};

static void output_line_done(struct output *output)
{
	const struct spawn_options *options = output->options;

	if (options->on_line && output->line.length)
		options->on_line(options->raw_lines ? output->line.data : text_printable(output->line.data),
				 options->userdata);
	output->line.length = 0;
}

static void output_keep(struct output *output, const char *data, size_t length)
{
	if (output->kept.length + length > 2 * OUTPUT_KEPT) {
		size_t drop = output->kept.length > OUTPUT_KEPT ? output->kept.length - OUTPUT_KEPT : 0;

		memmove(output->kept.data, output->kept.data + drop, output->kept.length - drop);
		output->kept.length -= drop;
	}
	buffer_add(&output->kept, data, length);
}

static bool ends_line(char c)
{
	return c == '\n' || c == '\r';
}

/* Takes what belongs to one line; returns how much that was. */
static size_t output_take_line(struct output *output, const char *data, size_t length)
{
	size_t room = LINE_MAX_SHOWN - output->line.length, n = 0;
	bool ends;

	while (n < length && n < room && !ends_line(data[n]))
		n++;
	ends = n < length && ends_line(data[n]);
	buffer_add(&output->line, data, n);
	if (ends || n == room)
		output_line_done(output);
	return n + ends;
}

static void output_take(struct output *output, const char *data, size_t length)
{
	if (output->is_kept)
		output_keep(output, data, length);
	for (size_t done = 0; output->options->on_line && done < length;)
		done += output_take_line(output, data + done, length - done);
}

/* Who talks without end fills the pipe and waits: that costs this host nothing. */
static void output_rest(struct output *output, size_t length)
{
	const struct timespec pause = { .tv_nsec = SLOW_PAUSE_NS };

	output->taken += length;
	if (!output->options->slow_output || output->taken < SLOW_BYTES)
		return;
	output->taken = 0;
	nanosleep(&pause, NULL);
}

/* Takes a piece of the program's output: its length, 0 when all have closed it. */
static ssize_t take_piece(struct output *output, int output_fd)
{
	char chunk[16384];
	ssize_t n;

	do
		n = read(output_fd, chunk, sizeof chunk);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	output_take(output, chunk, (size_t)n);
	output_rest(output, (size_t)n);
	return n;
}

/* One that has closed its output may go on for long. */
static int take_more(struct output *output, int *output_fd)
{
	ssize_t n = take_piece(output, *output_fd);

	if (n == 0)
		*output_fd = -1;
	return n < 0 ? (int)n : 0;
}

/* What the program has printed before it ended, and no more: what it has left behind may hold the pipe, and talk on. */
static int take_rest(struct output *output, int output_fd)
{
	int left = 0;
	ssize_t n = 1;

	if (output_fd >= 0 && ioctl(output_fd, FIONREAD, &left) < 0)
		return -errno;
	for (; left > 0 && n > 0; left -= (int)n)
		n = take_piece(output, output_fd);
	return n < 0 ? (int)n : 1;
}

/* Gives the program a line, which is short beside the room that poll(2) promises; closes its input behind the last. */
static int give_line(const struct spawn_options *options, int *input_fd)
{
	const char *line = options->next_line(options->userdata);
	CLEANUP_FREE char *text = line ? text_format("%s\n", line) : NULL;

	if (line && !text)
		return -ENOMEM;
	/* A program that has ended wants no more. */
	if (!line || send(*input_fd, text, strlen(text), MSG_NOSIGNAL) < 0)
		close_fd(take_fd(input_fd));
	return 0;
}

/* For poll(2): how long is left until @end_ms, where that is not 0. */
static int ms_left(int64_t end_ms)
{
	int64_t left = end_ms ? end_ms - clock_ms() : -1;

	return !end_ms ? -1 : left < 0 ? 0 : left > INT_MAX ? INT_MAX : (int)left;
}

static int64_t end_after(unsigned timeout_s)
{
	return timeout_s ? clock_ms() + (int64_t)timeout_s * 1000 : 0;
}

/*
 * Takes the program's output until it has ended, and gives it what it is to read meanwhile. Who has something to say
 * was not silent, however late it is: this process may have been stopped meanwhile.
 */
static int converse(struct output *output, int program_fd, int output_fd, int *input_fd)
{
	const struct spawn_options *options = output->options;
	int64_t end_ms = end_after(options->timeout_s);
	int end_fd = options->end_fd ? options->end_fd : -1, r = 0;

	while (r == 0) {
		struct pollfd fds[] = { { .fd = output_fd, .events = POLLIN },
					{ .fd = *input_fd, .events = POLLOUT },
					{ .fd = end_fd, .events = POLLIN },
					{ .fd = program_fd, .events = POLLIN } };
		int ready = poll(fds, 4, ms_left(end_ms));

		if (ready < 0)
			r = errno == EINTR ? 0 : -errno;
		else if (end_ms && clock_ms() >= end_ms && !(fds[0].revents && options->timeout_of_silence))
			r = -ETIMEDOUT; /* also of one that never ceases to talk */
		else if (fds[2].revents)
			r = -ECANCELED;
		else if (fds[3].revents)
			r = take_rest(output, output_fd);
		else if (fds[0].revents)
			r = take_more(output, &output_fd);
		else if (fds[1].revents)
			r = give_line(options, input_fd);
		if (ready > 0 && fds[0].revents && options->timeout_of_silence)
			end_ms = end_after(options->timeout_s);
	}
	return r < 0 ? r : 0;
}

/* With all that is in its session's first process group still. Nobody has waited for it: the number is its own. */
static void end_program(const struct spawn_options *options, pid_t pid)
{
	if (options->own_session)
		kill(-pid, SIGKILL);
	kill(pid, SIGKILL);
}

/*
 * The program's standard input: a file in memory or a socket, so that a program that does not read it cannot break a
 * pipe. *ret_give is where lines are written.
 */
static int open_input(const struct spawn_options *options, int *ret_give)
{
	const char *text = options->input;
	CLEANUP_FD int fd = -1;
	int r, pair[2];

	if (options->next_line) {
		if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
			return -errno;
		*ret_give = pair[1];
		return pair[0];
	}
	if (options->input_fd) {
		fd = fcntl(options->input_fd, F_DUPFD_CLOEXEC, 0);
		return fd < 0 ? -errno : take_fd(&fd);
	}
	if (!text) {
		fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		return fd < 0 ? -errno : take_fd(&fd);
	}
	fd = memfd_create("layerbox-input", MFD_CLOEXEC);
	if (fd < 0)
		return -errno;
	r = fd_write_all(fd, text, strlen(text));
	if (r < 0)
		return r;
	return lseek(fd, 0, SEEK_SET) < 0 ? -errno : take_fd(&fd);
}

int spawn_run(const char *const *argv, const struct spawn_options *options, int *ret_status, char **ret_output)
{
	CLEANUP_FD int input = -1;
	CLEANUP_FD int give = -1;
	CLEANUP_FD int out_read = -1;
	CLEANUP_FD int out_write = -1;
	CLEANUP_FD int report_read = -1;
	CLEANUP_FD int report_write = -1;
	CLEANUP_FD int program_fd = -1;
	CLEANUP_FREE char *path = NULL;
	struct output output = { .options = options, .is_kept = ret_output != NULL };
	int pipe_fds[2], child_errno = 0, r, collected, out;
	pid_t pid;

	if (options->root)
		path = strdup(argv[0]);
	else if (!spawn_find(argv[0], &path))
		return -ENOENT;
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return -errno;
	out_read = pipe_fds[0], out_write = pipe_fds[1];
	if (pipe2(pipe_fds, O_CLOEXEC) < 0)
		return -errno;
	report_read = pipe_fds[0], report_write = pipe_fds[1];
	input = open_input(options, &give);
	if (input < 0)
		return input;
	out = options->output_fd ? options->output_fd : out_write;
	pid = fork_for(options);
	if (pid < 0)
		return -errno;
	if (pid == 0)
		child_run(path, argv, options, (int[]){ input, out, out_write }, report_write);
	close_fd(take_fd(&input));
	close_fd(take_fd(&out_write));
	close_fd(take_fd(&report_write));
	program_fd = (int)syscall(SYS_pidfd_open, pid, 0);
	collected = program_fd < 0 ? -errno : converse(&output, program_fd, out_read, &give);
	close_fd(take_fd(&give));
	if (collected < 0)
		end_program(options, pid);
	r = spawn_wait(pid, ret_status);
	if (read(report_read, &child_errno, sizeof child_errno) == sizeof child_errno)
		r = -child_errno;
	output_line_done(&output);
	buffer_free(&output.line);
	if (r == 0 && collected != -ECANCELED)
		r = collected; /* whether it was killed or had ended of itself, the status says */
	if (r == 0 && ret_output) {
		size_t skip = output.kept.length > OUTPUT_KEPT ? output.kept.length - OUTPUT_KEPT : 0;

		*ret_output = strdup(output.kept.length ? output.kept.data + skip : "");
		if (!*ret_output)
			r = -ENOMEM;
	}
	buffer_free(&output.kept);
	return r;
}
