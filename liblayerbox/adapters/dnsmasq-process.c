/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "dnsmasq.h"

#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>

#include "../util/file.h"

enum { COMMAND_LINE_MAX = 1 << 20, STOP_PATIENCE_MS = 5000, WATCH_PATIENCE_MS = 2000, PID_BYTES_MAX = 64 };

/* The arguments of a process, as it was started; -ESRCH where it is gone or is a kernel thread. */
static int read_arguments(pid_t pid, struct text_list *ret_arguments)
{
	CLEANUP_TEXT_LIST struct text_list list = { 0 };
	CLEANUP_FREE char *text = NULL;
	char path[64];
	size_t length;
	int r;

	snprintf(path, sizeof path, "/proc/%d/cmdline", (int)pid);
	r = file_read(AT_FDCWD, path, COMMAND_LINE_MAX, &text, &length);
	if (r < 0)
		return r;
	for (size_t at = 0; at < length && r == 0; at += strlen(text + at) + 1)
		r = text_list_add(&list, text + at);
	if (r < 0)
		return r;
	if (!list.count)
		return -ESRCH;
	*ret_arguments = list;
	list = (struct text_list){ 0 };
	return 0;
}

bool dnsmasq_has_arguments(pid_t pid, const struct text_list *arguments)
{
	CLEANUP_TEXT_LIST struct text_list present = { 0 };

	if (read_arguments(pid, &present) < 0 || present.count != arguments->count)
		return false;
	/* The first is what it was called by, which the shell or systemd may have made a path. */
	for (size_t i = 1; i < present.count; i++)
		if (!text_equal(present.items[i], arguments->items[i]))
			return false;
	return true;
}

static bool ends_with(const char *s, const char *end)
{
	size_t n = strlen(s), m = strlen(end);

	return n >= m && text_equal(s + n - m, end);
}

/* Is it a dnsmasq, and was it started with that pid file (-x FILE, --pid-file=FILE)? */
static bool is_the_one(const struct text_list *arguments, const char *pid_file)
{
	const char *slash = strrchr(arguments->items[0], '/');

	if (!text_equal(slash ? slash + 1 : arguments->items[0], "dnsmasq"))
		return false;
	for (size_t i = 1; i < arguments->count; i++)
		if (ends_with(arguments->items[i], pid_file))
			return true;
	return false;
}

/*
 * The process of a pid file as a pidfd, so that no signal can hit a later process of that number, with its
 * arguments. -ESRCH when it does not run.
 */
static int open_process(const char *pid_file, pid_t *ret_pid, struct text_list *ret_arguments)
{
	CLEANUP_TEXT_LIST struct text_list arguments = { 0 };
	CLEANUP_FREE char *text = NULL;
	CLEANUP_FD int fd = -1;
	uint64_t pid;
	int r = file_read(AT_FDCWD, pid_file, PID_BYTES_MAX, &text, NULL);

	if (r < 0)
		return r == -ENOENT ? -ESRCH : r;
	if (!text_to_number(text_trim(text), 1, INT_MAX, &pid))
		return -ESRCH;
	fd = (int)syscall(SYS_pidfd_open, (pid_t)pid, 0);
	if (fd < 0)
		return -ESRCH;
	r = read_arguments((pid_t)pid, &arguments);
	if (r < 0)
		return r == -ENOENT ? -ESRCH : r;
	if (!is_the_one(&arguments, pid_file))
		return -ESRCH;
	*ret_pid = (pid_t)pid;
	if (ret_arguments) {
		*ret_arguments = arguments;
		arguments = (struct text_list){ 0 };
	}
	return take_fd(&fd);
}

pid_t dnsmasq_find(const char *pid_file)
{
	pid_t pid;
	CLEANUP_FD int fd = open_process(pid_file, &pid, NULL);

	return fd < 0 ? 0 : pid;
}

char *dnsmasq_argument(pid_t pid, const char *name)
{
	CLEANUP_TEXT_LIST struct text_list arguments = { 0 };

	if (read_arguments(pid, &arguments) < 0)
		return NULL;
	for (size_t i = 1; i < arguments.count; i++) {
		const char *rest = text_after(arguments.items[i], name);

		if (rest && *rest == '=')
			return strdup(rest + 1);
	}
	return NULL;
}

/* The kernel shows a watch as `inotify wd:1 ino:a7847a sdev:fe00000 ...`. */
static bool descriptor_watches(int info_fd, const char *number, ino_t inode)
{
	CLEANUP_FREE char *text = NULL;
	char wanted[64];

	if (file_read(info_fd, number, COMMAND_LINE_MAX, &text, NULL) < 0)
		return false;
	snprintf(wanted, sizeof wanted, " ino:%llx ", (unsigned long long)inode);
	return strstr(text, "\ninotify ") && strstr(text, wanted);
}

bool dnsmasq_watches(pid_t pid, const char *directory)
{
	CLEANUP_DIR DIR *dir = NULL;
	struct dirent *entry;
	struct stat st;
	char path[64];

	if (stat(directory, &st) < 0)
		return false;
	snprintf(path, sizeof path, "/proc/%d/fdinfo", (int)pid);
	dir = opendir(path);
	if (!dir)
		return errno == EACCES; /* only root may look; to others it is no problem they could tell of */
	while ((entry = readdir(dir)))
		if (descriptor_watches(dirfd(dir), entry->d_name, st.st_ino))
			return true;
	return false;
}

bool dnsmasq_comes_to_watch(const char *pid_file, const char *directory)
{
	const struct timespec pause = { .tv_nsec = 1000000 };

	for (int i = 0; i < WATCH_PATIENCE_MS; i++) {
		pid_t pid = dnsmasq_find(pid_file);

		if (!pid || dnsmasq_watches(pid, directory))
			return pid != 0;
		nanosleep(&pause, NULL);
	}
	return false;
}

/* proc(5): `PID (COMMAND) STATE ...`; S is a sleep that a signal would end, and waiting for a disk is not. */
bool dnsmasq_is_idle(const char *pid_file)
{
	pid_t pid = dnsmasq_find(pid_file);
	CLEANUP_FREE char *text = NULL;
	const char *state;
	char path[64];

	if (!pid)
		return true;
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	if (file_read(AT_FDCWD, path, COMMAND_LINE_MAX, &text, NULL) < 0)
		return true;
	state = strrchr(text, ')');
	return state && state[1] && state[2] == 'S';
}

int dnsmasq_reload(struct lb_context *ctx, const char *pid_file)
{
	pid_t pid;
	CLEANUP_FD int fd = open_process(pid_file, &pid, NULL);

	if (fd == -ESRCH)
		return 1;
	if (fd < 0)
		return fail_errno(ctx, fd, "cannot find the dnsmasq of %s", pid_file);
	if (syscall(SYS_pidfd_send_signal, fd, SIGHUP, NULL, 0) < 0 && errno != ESRCH)
		return fail_errno(ctx, errno, "cannot send a signal to dnsmasq (process %d)", (int)pid);
	return 0;
}

/* Sends @signal and waits for the end; 0, -ETIME where it goes on. */
static int end_process(int fd, int signal, int patience_ms)
{
	struct pollfd event = { .fd = fd, .events = POLLIN };
	int r;

	if (syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0) < 0)
		return errno == ESRCH ? 0 : -errno;
	do
		r = poll(&event, 1, patience_ms);
	while (r < 0 && errno == EINTR);
	return r > 0 ? 0 : -ETIME;
}

static int stop_process(struct lb_context *ctx, int fd, pid_t pid)
{
	int r = end_process(fd, SIGTERM, STOP_PATIENCE_MS);

	if (r == -ETIME)
		r = end_process(fd, SIGKILL, STOP_PATIENCE_MS);
	return r < 0 ? fail_errno(ctx, r, "cannot stop dnsmasq (process %d)", (int)pid) : 0;
}

int dnsmasq_stop(struct lb_context *ctx, const char *pid_file)
{
	pid_t pid;
	CLEANUP_FD int fd = open_process(pid_file, &pid, NULL);
	int r;

	if (fd == -ESRCH)
		return 1;
	r = fd < 0 ? fail_errno(ctx, fd, "cannot find the dnsmasq of %s", pid_file) : stop_process(ctx, fd, pid);
	if (r == 0)
		unlink(pid_file);
	return r;
}

/* The same arguments, but for the configuration file. */
static int replace_conf_file(const struct text_list *arguments, const char *conf_file, struct text_list *ret_new)
{
	int r = 0;

	for (size_t i = 0; i < arguments->count && r == 0; i++) {
		if (!text_after(arguments->items[i], "--conf-file="))
			r = text_list_add(ret_new, arguments->items[i]);
	}
	return r < 0 ? r : text_list_format(ret_new, "--conf-file=%s", conf_file);
}

/* The cgroup of version 2 that a process is in, as a file to write another one's number to; NULL without one. */
static char *cgroup_file_of(pid_t pid)
{
	CLEANUP_FREE char *text = NULL;
	char path[64];
	char *line;

	snprintf(path, sizeof path, "/proc/%d/cgroup", (int)pid);
	if (file_read(AT_FDCWD, path, COMMAND_LINE_MAX, &text, NULL) < 0)
		return NULL;
	line = strstr(text, "0::/");
	if (!line)
		return NULL;
	line[strcspn(line, "\n")] = '\0';
	return text_format("/sys/fs/cgroup%s/cgroup.procs", line + strlen("0::"));
}

/* Into the unit its predecessor was in, so that it does not end with the operator's session. As far as it goes. */
static void move_to_cgroup(pid_t pid, const char *cgroup_file)
{
	char number[16];

	snprintf(number, sizeof number, "%d", (int)pid);
	if (pid && cgroup_file)
		(void)file_write_existing(AT_FDCWD, cgroup_file, number);
}

int dnsmasq_restart(struct lb_context *ctx, const char *pid_file, const char *conf_file)
{
	CLEANUP_TEXT_LIST struct text_list old = { 0 };
	CLEANUP_TEXT_LIST struct text_list new = { 0 };
	CLEANUP_FREE char *cgroup_file = NULL;
	CLEANUP_FD int fd = -1;
	pid_t pid;
	int r;

	fd = open_process(pid_file, &pid, &old);
	if (fd < 0)
		return fail_errno(ctx, fd, "cannot find the dnsmasq of %s", pid_file);
	if (replace_conf_file(&old, conf_file, &new) < 0)
		return fail_memory(ctx);
	cgroup_file = cgroup_file_of(pid);
	r = dnsmasq_test(ctx, &new);
	if (r < 0)
		return fail_wrap(ctx, r, "dnsmasq cannot use %s", conf_file);
	r = stop_process(ctx, fd, pid);
	if (r < 0)
		return r;
	r = dnsmasq_start_with(ctx, &new, pid_file);
	if (r < 0 && dnsmasq_start_with(ctx, &old, pid_file) == 0)
		r = fail_wrap(ctx, r, "dnsmasq would not start with %s and runs as before", conf_file);
	move_to_cgroup(dnsmasq_find(pid_file), cgroup_file);
	return r;
}
