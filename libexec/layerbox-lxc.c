/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * layerbox-lxc - the only program of layerbox that is linked to liblxc: it starts, stops and enters.
 *
 *   layerbox-lxc VERB LXCPATH COUNT JOBS TIMEOUT END   start stop freeze thaw cgroup:KEY=VALUE
 *   layerbox-lxc exec LXCPATH NAME UID GID CWD HOW [ENV...] -- COMMAND...
 *   layerbox-lxc console LXCPATH NAME
 *   layerbox-lxc hold LXCPATH NAME TIMEOUT             freezes it until its standard input, a socket, ends
 *
 * The first form reads up to COUNT names from its standard input, a line each, and begins with each as it comes: the
 * program loads while the first container is made ready. It works on JOBS of them at a time, each in a process of its
 * own, and prints a line for each: `result NAME CODE TEXT`. A stop gives each TIMEOUT seconds, but none after END, in ms
 * of the monotonic clock, where that is not 0. It is run by liblayerbox only; its arguments have been checked there.
 */
#include <fcntl.h>
#include <lxc/attach_options.h>
#include <lxc/lxccontainer.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>

#include "adapters/lxc-command.h"
#include "adapters/process.h"
#include "container/layout.h"
#include "container/record.h"
#include "container/root.h"
#include "core/store.h"
#include "relay.h"
#include "time-limit.h"
#include "util/clock.h"
#include "util/file.h"
#include "util/spawn.h"
#include "util/text.h"

/* KILL_S is what a stop has beyond its time: a third to kill, the rest for what is before and for the monitor's end. */
enum { MONITOR_EXIT_MS = 5000, LOOK_MS = 20, FREEZE_MS = 60000, KILL_S = 30, KILL_MS = 10000, AGAIN_MS = 1000,
       MARGIN_MS = 1000 };

struct job {
	const char *verb, *lxcpath, *name;
	int timeout_s;
	int64_t end_ms;               /* of a stop; 0: never */
	int64_t limit_ms;             /* until when a stop may wait for what has begun to end */
	int directory_fd;             /* the container's; its path is covered once the root is mounted */
	off_t log_start;              /* where the log ended before this job */
	char cause[768];
	char limit_line[256];         /* what is reported where it takes too long */
};

/* ------------------------------------------------------------------ what liblxc's bool does not tell */

static int open_log(const struct job *job)
{
	return openat(job->directory_fd, LAYOUT_LOG, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
}

static off_t log_size(const struct job *job)
{
	CLEANUP_FD int fd = open_log(job);
	struct stat st;

	return fd >= 0 && fstat(fd, &st) == 0 ? st.st_size : 0;
}

/* The message of a line "lxc NAME TIME ERROR    part - file.c:function:line - message", or of the hook's. */
static const char *message_of(char *line)
{
	char *message = strstr(line, " ERROR ");

	if (!message)
		return NULL;
	message = strstr(message, " - ");
	if (message && !text_after(line, "layerbox-hook ") && strstr(message + 3, " - "))
		message = strstr(message + 3, " - ");
	return message ? message + 3 : NULL;
}

/* Finds the cause in what the log has got since the job began: the hook's sentence, else LXC's first error. */
static void find_cause(struct job *job)
{
	CLEANUP_FD int fd = open_log(job);
	CLEANUP_FILE FILE *log = NULL;
	CLEANUP_FREE char *line = NULL;
	size_t size = 0;
	bool from_hook = false;

	if (fd < 0 || lseek(fd, job->log_start, SEEK_SET) < 0)
		return;
	log = fdopen(dup(fd), "r");
	while (log && !from_hook && getline(&line, &size, log) > 0) {
		const char *message;

		line[strcspn(line, "\n")] = '\0';
		from_hook = text_after(line, "layerbox-hook ") != NULL;
		message = message_of(text_printable(line));
		if (message && (from_hook || !*job->cause))
			snprintf(job->cause, sizeof job->cause, "%s", message);
	}
}

/* ----------------------------------------------------------------------------------- the first form */

/* Takes layerbox's hook out of @key, and leaves the operator's own. */
static void drop_hook(struct lxc_container *container, const char *key)
{
	char hooks[4096], *save = NULL;
	int n = container->get_config_item(container, key, hooks, sizeof hooks);

	if (n <= 0 || n >= (int)sizeof hooks || !container->clear_config_item(container, key))
		return;
	for (char *hook = strtok_r(hooks, "\n", &save); hook; hook = strtok_r(NULL, "\n", &save))
		if (!text_equal(hook, PKGLIBEXECDIR "/layerbox-hook"))
			container->set_config_item(container, key, hook);
}

static int open_context(const struct job *job, struct lb_context **ret_ctx)
{
	CLEANUP_FREE char *root = strndup(job->lxcpath, strlen(job->lxcpath) - strlen("/" STORE_CONTAINERS));
	const struct lb_context_options options = { .size = sizeof options, .root = root };

	return lb_context_new(&options, ret_ctx);
}

/*
 * Mounts the root here, in a mount namespace that the monitor will inherit, instead of leaving it to the hook: that
 * spares two shells and two programs, a fifth of a start. The hook remains what a plain lxc-start uses.
 */
static int mount_root(struct job *job, struct lxc_container *container)
{
	struct lb_context *ctx;
	struct record record = { 0 };
	CLEANUP_FREE char *directory = text_format("%s/%s", job->lxcpath, job->name);
	CLEANUP_FD int fd = directory ? open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	int r = open_context(job, &ctx);

	if (r == 0)
		r = record_read(ctx, fd, job->name, &record);
	if (r == 0 && (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0))
		r = fail_errno(ctx, errno, "cannot make a mount namespace");
	if (r == 0)
		r = root_mount(ctx, job->name, &record);
	if (r < 0)
		snprintf(job->cause, sizeof job->cause, "%s", lb_context_error(ctx));
	record_free(&record);
	lb_context_free(ctx);
	drop_hook(container, "lxc.hook.pre-start");
	drop_hook(container, "lxc.hook.post-stop");
	container->set_config_item(container, "lxc.monitor.unshare", "0");
	return r;
}

/* A second is the least that it is given: LXC takes 0 for none at all. */
static void shorten(struct job *job)
{
	int64_t left_s = (job->end_ms - clock_ms()) / 1000;

	if (job->end_ms && left_s < job->timeout_s)
		job->timeout_s = left_s > 1 ? (int)left_s : 1;
}

/*
 * A start may hang in a hook of the operator's; the monitor, which runs it, is no child of this process any more. A
 * stop may hang in liblxc, which has endless patience with a monitor that takes its commands and does not answer.
 */
static void limit(struct job *job)
{
	if (text_equal(job->verb, "start")) {
		snprintf(job->limit_line, sizeof job->limit_line,
			 "result %s %d it had not started after %d s, and was given up; a hook in its config.local may "
			 "hang, or LXC's log (" LAYOUT_LOG ") says more\n",
			 job->name, -LB_ERR_TIMEOUT, job->timeout_s);
		time_limit_set((unsigned)job->timeout_s, job->limit_line);
	} else if (text_equal(job->verb, "stop")) {
		shorten(job);
		snprintf(job->limit_line, sizeof job->limit_line,
			 "result %s %d it can be neither shut down nor killed: its LXC monitor does not answer\n",
			 job->name, -LB_ERR_TIMEOUT);
		job->limit_ms = clock_ms() + ((int64_t)job->timeout_s + KILL_S) * 1000 - MARGIN_MS;
		time_limit_set((unsigned)job->timeout_s + KILL_S, job->limit_line);
	}
}

static int start(struct job *job, struct lxc_container *container)
{
	int r;

	job->log_start = log_size(job);
	if (container->is_running(container))
		return 1;
	r = mount_root(job, container);
	time_limit_follow_parent();
	if (r < 0)
		return r;
	container->want_daemonize(container, true);
	container->want_close_all_fds(container, true);
	/*
	 * Where LXC finds newuidmap(1) in PATH it runs a shell and that program twice for each start, also for root,
	 * who may write the maps itself. The range was granted to root in /etc/subuid all the same. A shell without
	 * PATH has a default of its own, so hooks are none the worse.
	 */
	unsetenv("PATH");
	if (container->start(container, 0, NULL))
		return 0;
	find_cause(job);
	if (!*job->cause)
		snprintf(job->cause, sizeof job->cause, "LXC could not start it and wrote no cause to its log");
	return -LB_ERR_RUNTIME;
}

static bool ends_within(const struct process *process, int timeout_ms)
{
	struct pollfd item = { .fd = process->fd, .events = POLLIN };

	return poll(&item, 1, timeout_ms) > 0;
}

/*
 * Waits until its monitor has exited, and with it all of its mounts are gone: the state is "stopped" before, and hooks
 * and a sync of what was mounted may take long. Nobody hears on its socket then: it is down, also where we may not wait
 * for so long. False where the monitor hears still, and of a container that was rebooting: that one comes back.
 */
static bool wait_for_monitor(const struct job *job, const struct process *monitor)
{
	int64_t end_ms = clock_ms() + MONITOR_EXIT_MS;
	struct lxc_answer answer;

	while (monitor->fd >= 0 && !ends_within(monitor, LOOK_MS)) {
		int r = lxc_command_query(job->lxcpath, job->name, &answer);
		bool down = r == 0 && answer.state == LB_STATE_STOPPED;

		if (r == 0 && answer.state == LB_STATE_RUNNING)
			return false;
		if (clock_ms() >= (down ? job->limit_ms : end_ms))
			return down;
	}
	return true;
}

static void follow(struct process *monitor, const struct lxc_victim *victim)
{
	if (victim->fd < 0)
		return;
	process_close(monitor);
	monitor->fd = victim->fd;
}

/*
 * As `stop --kill` does it, which waits for nobody without end. One that was just rebooting has a new init now, and is
 * told again; the monitor of one that has ended may not hear us before it has tidied up.
 */
static int kill_it(struct job *job, struct process *monitor)
{
	struct lxc_victim victim = { .name = job->name };
	int64_t end_ms = clock_ms() + KILL_MS;

	do {
		lxc_command_kill_all(job->lxcpath, &victim, 1);
		follow(monitor, &victim);
		if (victim.result > 0 ? wait_for_monitor(job, monitor) :
					ends_within(monitor, monitor->fd < 0 ? LOOK_MS : AGAIN_MS))
			return 0;
	} while ((victim.result >= 0 || victim.result == -EAGAIN) && clock_ms() < end_ms);
	snprintf(job->cause, sizeof job->cause, "%s",
		 victim.result < 0 ? lxc_command_failure(victim.result) :
				     "it was killed, but its LXC monitor does not end");
	return victim.result < 0 && victim.result != -EAGAIN ? -LB_ERR_RUNTIME : -LB_ERR_TIMEOUT;
}

static int stop(struct job *job, struct lxc_container *container)
{
	struct process monitor = PROCESS_NONE;
	struct lxc_answer answer;
	int r = lxc_command_query(job->lxcpath, job->name, &answer);
	bool ended;

	if (r == 0 && answer.state == LB_STATE_STOPPED)
		return 1;
	/* Without an answer its init may have ended just now. */
	if (r == 0)
		process_open_parent(answer.pid, &monitor);
	if (r == 0 && answer.state == LB_STATE_FROZEN)
		container->unfreeze(container);
	ended = monitor.fd >= 0 && container->shutdown(container, job->timeout_s) && wait_for_monitor(job, &monitor);
	r = ended ? 0 : kill_it(job, &monitor);
	process_close(&monitor);
	return r;
}

static uint64_t now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

/* Is the freezer one of version 1? */
static bool has_old_freezer(struct lxc_container *container)
{
	char text[64];

	return container->get_cgroup_item(container, "freezer.state", text, sizeof text - 1) > 0;
}

static bool stands_still(struct lxc_container *container, bool old)
{
	char text[256] = "";
	int n = container->get_cgroup_item(container, old ? "freezer.state" : "cgroup.events", text, sizeof text - 1);

	return n > 0 && strstr(text, old ? "FROZEN" : "frozen 1");
}

static bool set_freezer(struct lxc_container *container, bool old, bool frozen)
{
	if (old)
		return container->set_cgroup_item(container, "freezer.state", frozen ? "FROZEN" : "THAWED");
	return container->set_cgroup_item(container, "cgroup.freeze", frozen ? "1" : "0");
}

/* Has somebody asked for it, whether all stand still by now or not? */
static bool is_to_stand_still(struct lxc_container *container)
{
	bool old = has_old_freezer(container);
	char text[64] = "";
	int n;

	if (text_equal(container->state(container), "FROZEN"))
		return true;
	n = container->get_cgroup_item(container, old ? "freezer.state" : "cgroup.freeze", text, sizeof text - 1);
	return n > 0 && (old ? !text_after(text, "THAWED") : *text == '1');
}

/* LXC thaws only what it knows to be frozen; who was killed in halt() may not have told it. */
static bool thaw(struct lxc_container *container)
{
	bool told = text_equal(container->state(container), "FROZEN");

	return (told && container->unfreeze(container)) || set_freezer(container, has_old_freezer(container), false);
}

/*
 * LXC itself sleeps for a second where not all processes stand still at once (version 1), or waits for ever (version 2)
 * for one that is stuck in the kernel. So it is told when all is done, and finds it done.
 */
static bool halt(struct job *job, struct lxc_container *container, int timeout_ms)
{
	const struct timespec pause = { .tv_nsec = 300000 };
	const uint64_t end = now_us() + (uint64_t)timeout_ms * 1000;
	bool old = has_old_freezer(container);

	if (!set_freezer(container, old, true))
		return container->freeze(container);
	while (!stands_still(container, old)) {
		if (now_us() > end) {
			set_freezer(container, old, false);
			snprintf(job->cause, sizeof job->cause, "its processes did not stand still within %d s",
				 timeout_ms / 1000);
			return false;
		}
		nanosleep(&pause, NULL);
	}
	if (container->freeze(container))
		return true;
	set_freezer(container, old, false);
	return false;
}

static int freeze(struct job *job, struct lxc_container *container, bool end)
{
	bool done;

	job->log_start = log_size(job);
	if (!container->is_running(container)) {
		snprintf(job->cause, sizeof job->cause, "it is not running");
		return -LB_ERR_NOT_RUNNING;
	}
	done = end ? !is_to_stand_still(container) : text_equal(container->state(container), "FROZEN");
	if (done)
		return 1;
	if (end ? thaw(container) : halt(job, container, FREEZE_MS))
		return 0;
	if (!*job->cause)
		find_cause(job);
	return -LB_ERR_RUNTIME;
}

static int set_cgroup(struct job *job, struct lxc_container *container, const char *assignment)
{
	CLEANUP_FREE char *key = strdup(assignment);
	char *value = key ? strchr(key, '=') : NULL;

	job->log_start = log_size(job);
	if (!value)
		return -EINVAL;
	*value++ = '\0';
	if (container->set_cgroup_item(container, key, value))
		return 0;
	snprintf(job->cause, sizeof job->cause, "LXC could not set %s to %s", key, value);
	return -LB_ERR_RUNTIME;
}

static int perform(struct job *job)
{
	struct lxc_container *container = lxc_container_new(job->name, job->lxcpath);
	CLEANUP_FREE char *directory = text_format("%s/%s", job->lxcpath, job->name);
	int r = -LB_ERR_RUNTIME;

	job->directory_fd = directory ? open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW) : -1;
	limit(job);
	if (!container || !container->is_defined(container))
		snprintf(job->cause, sizeof job->cause, "LXC cannot read %s/%s/config", job->lxcpath, job->name);
	else if (text_equal(job->verb, "start"))
		r = start(job, container);
	else if (text_equal(job->verb, "stop"))
		r = stop(job, container);
	else if (text_equal(job->verb, "freeze") || text_equal(job->verb, "thaw"))
		r = freeze(job, container, text_equal(job->verb, "thaw"));
	else if (text_after(job->verb, "cgroup:"))
		r = set_cgroup(job, container, text_after(job->verb, "cgroup:"));
	time_limit_end();
	if (container)
		lxc_container_put(container);
	close_fd(job->directory_fd);
	return r;
}

/* One write(2), so that lines of several jobs do not mix. */
static void report(const struct job *job, int r)
{
	char line[1024];
	int n = snprintf(line, sizeof line, "result %s %d %s\n", job->name, r, job->cause);

	(void)!write(STDOUT_FILENO, line, (size_t)(n < (int)sizeof line ? n : (int)sizeof line - 1));
}

/*
 * It ends with this process, which ends with its caller: nobody else's lock would be held for what it does afterwards.
 */
static void perform_aside(struct job *job, unsigned *running)
{
	pid_t own_pid = getpid(), pid = fork();

	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() == own_pid)
			report(job, perform(job));
		_exit(EXIT_SUCCESS);
	}
	if (pid < 0) {
		snprintf(job->cause, sizeof job->cause, "cannot fork: %s", strerrordesc_np(errno));
		report(job, -errno);
		job->cause[0] = '\0';
	}
	*running += pid > 0;
}

static int perform_all(struct job job, unsigned long count, unsigned jobs)
{
	CLEANUP_FREE char *name = NULL;
	size_t size = 0;
	unsigned running = 0;

	while (getline(&name, &size, stdin) > 0) {
		name[strcspn(name, "\n")] = '\0';
		job.name = name;
		if (count == 1) {
			report(&job, perform(&job));
			return EXIT_SUCCESS; /* the monitor may be a child by now */
		}
		if (running == jobs && wait(NULL) > 0)
			running--;
		perform_aside(&job, &running);
	}
	while (wait(NULL) > 0)
		;
	return EXIT_SUCCESS;
}

/* ------------------------------------------------------------------------------- exec and console */

struct command {
	char **argv;
	bool is_alone;                /* without a terminal, and with nobody's */
	bool ends_with_us;
};

static int run_command(void *payload)
{
	const struct command *command = payload;
	char **argv = command->argv;

	/* It ends with us as if the terminal had hung up that it does not have. */
	if (command->is_alone) {
		prctl(PR_SET_PDEATHSIG, SIGHUP);
		setsid();
	}
	if (command->ends_with_us)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	execvp(argv[0], argv);
	fprintf(stderr, "layerbox: cannot run '%s' in the container: %s\n", argv[0], strerrordesc_np(errno));
	return errno == ENOENT ? 127 : 126;
}

static void put_container(struct lxc_container **container)
{
	if (*container)
		lxc_container_put(*container);
}

static struct lxc_container *open_running(const char *lxcpath, const char *name)
{
	struct lxc_container *container = lxc_container_new(name, lxcpath);

	if (container && container->is_running(container))
		return container;
	fprintf(stderr, "layerbox: container '%s' is not running\n", name);
	put_container(&container);
	return NULL;
}

/*
 * @argv: LXCPATH NAME UID GID CWD HOW [ENV...] -- COMMAND...; HOW: 0 without a terminal, 1 with one, 2 without one, and
 * it ends with this program
 */
static int exec_in(char **argv)
{
	lxc_attach_options_t options = LXC_ATTACH_OPTIONS_DEFAULT;
	CLEANUP(put_container) struct lxc_container *container = open_running(argv[0], argv[1]);
	struct command command = { .argv = argv + 6, .is_alone = text_equal(argv[5], "0"),
				   .ends_with_us = text_equal(argv[5], "2") };
	struct relay relay = { .theirs = { STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO }, .ours = { -1, -1, -1 } };
	pid_t pid;
	int status;

	if (!container)
		return 125;
	if (command.is_alone && relay_open(&relay) < 0) {
		fprintf(stderr, "layerbox: cannot make pipes for container '%s': %s\n", argv[1],
			strerrordesc_np(errno));
		return 125;
	}
	while (*command.argv && !text_equal(*command.argv, "--"))
		command.argv++;
	*command.argv++ = NULL;
	options.uid = (uid_t)strtoul(argv[2], NULL, 10);
	options.gid = (gid_t)strtoul(argv[3], NULL, 10);
	options.initial_cwd = argv[4];
	options.env_policy = LXC_ATTACH_CLEAR_ENV;
	options.extra_env_vars = argv + 6;
	options.stdin_fd = relay.theirs[STDIN_FILENO];
	options.stdout_fd = relay.theirs[STDOUT_FILENO];
	options.stderr_fd = relay.theirs[STDERR_FILENO];
	if (text_equal(argv[5], "1"))
		options.attach_flags |= LXC_ATTACH_TERMINAL;
	if (container->attach(container, run_command, &command, &options, &pid) < 0) {
		fprintf(stderr, "layerbox: LXC could not enter container '%s'\n", argv[1]);
		return 125;
	}
	if ((command.is_alone && relay_run(&relay, pid) < 0) || spawn_wait(pid, &status) < 0)
		return 125;
	return status;
}

static int console(const char *lxcpath, const char *name)
{
	CLEANUP(put_container) struct lxc_container *container = open_running(lxcpath, name);

	if (!container)
		return 125;
	/* Terminal 0 is /dev/console; the escape is Ctrl-a. */
	if (container->console(container, 0, STDIN_FILENO, STDOUT_FILENO, STDERR_FILENO, 1) < 0) {
		fprintf(stderr, "layerbox: the console of container '%s' is not to be had: someone else may be on it\n",
			name);
		return 125;
	}
	return EXIT_SUCCESS;
}

/* -------------------------------------------------------------------------------------------- hold */

/* A packet to who is at the other end; whether it is still there does not matter. */
static void tell(const char *format, ...) PRINTF_LIKE(1, 2);
static void tell(const char *format, ...)
{
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	(void)!send(STDOUT_FILENO, text, strlen(text), MSG_NOSIGNAL);
}

/* Until the other end is closed, by whatever: true; or for too long: false. */
static bool wait_for_end(int timeout_s)
{
	struct pollfd input = { .fd = STDIN_FILENO, .events = POLLIN };
	uint64_t end = now_us() + (uint64_t)timeout_s * 1000000;

	for (;;) {
		uint64_t now = now_us();
		int n = now >= end ? 0 : poll(&input, 1, (int)((end - now) / 1000) + 1);

		if (n > 0 || (n < 0 && errno != EINTR))
			return true;
		if (n == 0)
			return false;
	}
}

static int hold(struct job *job, struct lxc_container *container)
{
	uint64_t begin = now_us();
	int frozen = freeze(job, container, false);
	bool in_time;

	if (frozen < 0) {
		tell("failed %d %s", frozen, *job->cause ? job->cause : "LXC gives no cause");
		return EXIT_FAILURE;
	}
	tell("frozen");
	in_time = wait_for_end(job->timeout_s);
	if (frozen == 0 && !thaw(container))
		tell("LXC failed to do so");
	else if (in_time)
		tell("thawed %llu", frozen == 0 ? (unsigned long long)(now_us() - begin) : 0ULL);
	else
		tell("late");
	return EXIT_SUCCESS;
}

/* Nothing but SIGKILL ends it before it has thawed what it froze; and then its caller does. */
static int hold_frozen(const char *lxcpath, const char *name, const char *timeout)
{
	static const int ignored[] = { SIGHUP, SIGINT, SIGQUIT, SIGTERM, SIGPIPE, SIGALRM };
	struct job job = { .verb = "freeze", .lxcpath = lxcpath, .name = name, .timeout_s = atoi(timeout) };
	CLEANUP(put_container) struct lxc_container *container = NULL;
	CLEANUP_FREE char *directory = text_format("%s/%s", lxcpath, name);
	int r = EXIT_FAILURE;

	for (size_t i = 0; i < sizeof ignored / sizeof *ignored; i++)
		signal(ignored[i], SIG_IGN);
	job.directory_fd = directory ? open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW) : -1;
	container = lxc_container_new(name, lxcpath);
	if (container && container->is_defined(container))
		r = hold(&job, container);
	else
		tell("failed %d LXC cannot read its config", -LB_ERR_RUNTIME);
	close_fd(job.directory_fd);
	return r;
}

int main(int argc, char **argv)
{
	if (argc == 5 && text_equal(argv[1], "hold"))
		return hold_frozen(argv[2], argv[3], argv[4]);
	if (argc > 8 && text_equal(argv[1], "exec"))
		return exec_in(argv + 2);
	if (argc == 4 && text_equal(argv[1], "console"))
		return console(argv[2], argv[3]);
	if (argc == 7) {
		struct job job = {
			.verb = argv[1], .lxcpath = argv[2], .timeout_s = atoi(argv[5]), .end_ms = atoll(argv[6])
		};

		return perform_all(job, strtoul(argv[3], NULL, 10), (unsigned)atoi(argv[4]));
	}
	fprintf(stderr, "layerbox-lxc: is run by layerbox only\n");
	return 2;
}
