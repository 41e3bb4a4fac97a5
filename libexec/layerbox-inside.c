/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * layerbox-inside - runs a program of a tree inside that tree, see adapters/inside.h.
 *
 *   layerbox-inside [--reader] [--network] [--map=START:COUNT] [--ids=FIRST-LAST] [--script=FILE] --layers=DIRECTORY
 *                   --upper=NAME --work=NAME --lower=DIRECTORY... -- PROGRAM ARGUMENT...
 *
 * It is begun in mount and pid namespaces of its own. Everything of the host's is done first; then the host's file
 * systems are let go, and this process becomes the tree's root, with no more rights than the program will have. It
 * waits for the program, ends what that has left running, and takes away what it had laid into the tree. Ends with the
 * program's status; with 125 and a sentence where that was not begun.
 */
#include <fcntl.h>
#include <getopt.h>
#include <grp.h>
#include <limits.h>
#include <linux/capability.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "adapters/inside.h"
#include "adapters/overlay.h"
#include "inside-files.h"
#include "inside-mounts.h"
#include "util/file.h"
#include "util/spawn.h"
#include "util/text.h"

#define RESOLV_CONF "etc/resolv.conf"
#define POLICY "usr/sbin/policy-rc.d"

enum { STATUS_NOT_RUN = 125, LOWERS_MAX = 32, FILE_BYTES_MAX = 1 << 24, PROCESSES_MAX = 512 };

/*
 * One that only reads, --reader: itself and four processes. A journal's files are mapped, at 8 MiB of each at least,
 * which needs addresses rather than memory.
 */
enum { READER_PROCESSES = 5, READER_ADDRESSES = 1 << 30, READER_DATA = 1 << 28, READER_CPU_S = 60 };

/* invoke-rc.d(8): no action is allowed. */
static const char policy[] = "#!/bin/sh\nexit 101\n";

struct job {
	const char *lowers[LOWERS_MAX];
	size_t lower_count;
	const char *layers, *upper, *work, *script;
	unsigned id_start, id_count, ids_first, ids_last;
	bool network, reader;
	char **argv;
	char *resolv_conf, *script_text;
	size_t script_length;
	int userns_fd;
	bool resolv_conf_covered, policy_covered;
};

static int stop(const char *what, int error)
{
	printf("layerbox-inside: %s: %s\n", what, strerrordesc_np(error < 0 ? -error : error));
	return -1;
}

/* ---- arguments ---- */

static int parse(int argc, char **argv, struct job *job)
{
	static const struct option options[] = {
		{ "network", no_argument, NULL, 'n' },	    { "reader", no_argument, NULL, 'r' },
		{ "map", required_argument, NULL, 'm' },
		{ "ids", required_argument, NULL, 'i' },    { "script", required_argument, NULL, 's' },
		{ "layers", required_argument, NULL, 'l' }, { "upper", required_argument, NULL, 'u' },
		{ "work", required_argument, NULL, 'w' },   { "lower", required_argument, NULL, 'b' },
		{ 0 },
	};
	int option;

	while ((option = getopt_long(argc, argv, "+", options, NULL)) > 0) {
		if (option == 'n')
			job->network = true;
		else if (option == 'r')
			job->reader = true;
		else if (option == 'm' && sscanf(optarg, "%u:%u", &job->id_start, &job->id_count) != 2)
			return -1;
		else if (option == 'i' && sscanf(optarg, "%u-%u", &job->ids_first, &job->ids_last) != 2)
			return -1;
		else if (option == 's')
			job->script = optarg;
		else if (option == 'l')
			job->layers = optarg;
		else if (option == 'u')
			job->upper = optarg;
		else if (option == 'w')
			job->work = optarg;
		else if (option == 'b' && job->lower_count < LOWERS_MAX)
			job->lowers[job->lower_count++] = optarg;
		else if (option == 'b' || option == '?')
			return -1;
	}
	job->argv = argv + optind;
	return job->layers && job->upper && job->work && job->lower_count && *job->argv ? 0 : -1;
}

/* Also where it is a link, as systemd-resolved makes it of resolv.conf. */
static int read_file(const char *path, char **ret_text, size_t *ret_length)
{
	char real[PATH_MAX];

	return realpath(path, real) ? file_read(AT_FDCWD, real, FILE_BYTES_MAX, ret_text, ret_length) : -errno;
}

/* What is the host's and goes into the tree, read while the host can be seen. */
static int read_files(struct job *job)
{
	int r = 0;

	if (job->script)
		r = read_file(job->script, &job->script_text, &job->script_length);
	if (r < 0)
		return stop(job->script, r);
	/* A host without has a name server on itself, or none. */
	if (job->network && read_file("/" RESOLV_CONF, &job->resolv_conf, NULL) < 0)
		job->resolv_conf = NULL;
	return 0;
}

/* ---- as the host's root ---- */

static int bring_loopback_up(void)
{
	CLEANUP_FD int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq request = { .ifr_name = "lo", .ifr_flags = IFF_UP | IFF_RUNNING };

	return fd < 0 || ioctl(fd, SIOCSIFFLAGS, &request) < 0 ? -errno : 0;
}

/* A session of its own: no terminal of the caller's, into which a program could type. */
static int leave_host(const struct job *job)
{
	int r;

	if (setsid() < 0 && errno != EPERM)
		return stop("cannot make a session", errno);
	/* /proc of this pid namespace: what is done below names processes. */
	if (mount("proc", "/proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		return stop("cannot mount /proc", errno);
	/* Who takes too much memory is ended before anybody of the host's. */
	r = job->reader ? file_write_existing(AT_FDCWD, "/proc/self/oom_score_adj", "1000") : 0;
	if (r < 0)
		return stop("cannot write /proc/self/oom_score_adj", r);
	if (unshare(CLONE_NEWIPC | CLONE_NEWUTS | (job->network ? 0 : CLONE_NEWNET)) < 0)
		return stop("cannot make namespaces", errno);
	r = job->network ? 0 : bring_loopback_up();
	return r < 0 ? stop("cannot bring up the loopback interface", r) : 0;
}

/* Covers the directory of the layers, which are open, with a tmpfs that has room for mount points. */
static int make_place(const struct job *job)
{
	CLEANUP_FD int fd = -1;

	if (mount("layerbox", job->layers, "tmpfs", MS_NOSUID | MS_NODEV, "mode=0711,size=1m") < 0)
		return stop("cannot mount a tmpfs", errno);
	fd = open(job->layers, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0 || mkdirat(fd, "root", 0755) < 0)
		return stop("cannot make the mount point", errno);
	return take_fd(&fd);
}

static int open_lowers(const struct job *job, int fds[LOWERS_MAX])
{
	for (size_t i = 0; i < job->lower_count; i++) {
		fds[i] = open(job->lowers[i], O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fds[i] < 0)
			return stop(job->lowers[i], errno);
	}
	return 0;
}

/* The process ends soon, so what is opened here stays open. Returns the tree. */
static int mount_tree(const struct job *job, int *ret_place)
{
	struct overlay_spec spec;
	int lowers[LOWERS_MAX], layers_fd, fd;
	char error[1024] = "";

	layers_fd = open(job->layers, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (layers_fd < 0)
		return stop(job->layers, errno);
	if (open_lowers(job, lowers) < 0)
		return -1;
	*ret_place = make_place(job);
	if (*ret_place < 0)
		return -1;
	spec = (struct overlay_spec){
		.lower_fds = lowers,
		.lower_count = job->lower_count,
		.layers_fd = layers_fd,
		.upper = job->upper,
		.work = job->work,
		.id_start = job->id_start,
		.id_count = job->id_count,
		.place_fd = *ret_place,
		.target = "root",
	};
	if (overlay_mount(&spec, error, sizeof error) < 0) {
		printf("layerbox-inside: %s\n", error);
		return -1;
	}
	fd = openat(*ret_place, "root", O_PATH | O_DIRECTORY | O_CLOEXEC);
	close_fd(layers_fd);
	for (size_t i = 0; i < job->lower_count; i++)
		close_fd(lowers[i]);
	return fd < 0 ? stop("cannot open the tree", errno) : fd;
}

/* Files that are there are covered; the others are laid later. */
static int cover_files(struct job *job, int root_fd, int place_fd)
{
	int r = inside_cover_file(root_fd, POLICY, place_fd, "policy-rc.d", policy, 0755);

	if (r < 0)
		return stop("cannot cover /" POLICY, r);
	job->policy_covered = r == 0;
	if (!job->resolv_conf)
		return 0;
	r = inside_cover_file(root_fd, RESOLV_CONF, place_fd, "resolv.conf", job->resolv_conf, 0644);
	job->resolv_conf_covered = r == 0;
	return r < 0 ? stop("cannot cover /" RESOLV_CONF, r) : 0;
}

/* pivot_root(2), not chroot(2): who is root inside could leave the latter, and would find the host. */
static int pivot(int root_fd)
{
	if (fchdir(root_fd) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 ||
	    chdir("/") < 0)
		return stop("cannot enter the tree", errno);
	return 0;
}

static int enter_tree(struct job *job)
{
	CLEANUP_FD int place_fd = -1;
	CLEANUP_FD int root_fd = mount_tree(job, &place_fd);
	char error[256];

	if (root_fd < 0)
		return -1;
	if (inside_mount_all(root_fd, job->id_start, error, sizeof error) < 0) {
		printf("layerbox-inside: %s\n", error);
		return -1;
	}
	if (cover_files(job, root_fd, place_fd) < 0)
		return -1;
	if (job->id_count) {
		job->userns_fd = overlay_user_namespace(job->id_start, job->id_count);
		if (job->userns_fd < 0)
			return stop("cannot make a user namespace", job->userns_fd);
	}
	return pivot(root_fd);
}

/* ---- as the tree's root ---- */

/*
 * Not even the host's root may, in there, what reaches out of a tree: mount, make devices, load modules, trace this
 * process, set the clock.
 */
static int drop_capabilities(const struct job *job)
{
	static const int dropped[] = {
		CAP_SYS_ADMIN, CAP_SYS_MODULE, CAP_SYS_RAWIO,  CAP_SYS_BOOT,	 CAP_SYS_TIME, CAP_SYS_PTRACE,
		CAP_SYSLOG,    CAP_MKNOD,      CAP_MAC_ADMIN,  CAP_MAC_OVERRIDE, CAP_BPF,      CAP_PERFMON,
		CAP_NET_ADMIN, CAP_WAKE_ALARM, CAP_LINUX_IMMUTABLE,
	};

	for (size_t i = 0; i < sizeof dropped / sizeof *dropped; i++)
		if (prctl(PR_CAPBSET_DROP, dropped[i], 0, 0, 0) < 0)
			return stop("cannot give up capabilities", errno);
	if (job->reader && prctl(PR_CAPBSET_DROP, CAP_SYS_RESOURCE, 0, 0, 0) < 0)
		return stop("cannot give up capabilities", errno);
	return 0;
}

/* The container's own limits do not hold here: its programs shall not take the host's processes all the same. */
static int limit_processes(const struct job *job)
{
	const rlim_t max = job->reader ? READER_PROCESSES : PROCESSES_MAX;
	const struct rlimit limit = { max, max };

	return setrlimit(RLIMIT_NPROC, &limit) < 0 ? stop("cannot limit processes", errno) : 0;
}

static int become_root_of_tree(struct job *job)
{
	int r = job->id_count ? limit_processes(job) : 0;

	if (r < 0)
		return r;
	if (job->id_count &&
	    (setns(job->userns_fd, CLONE_NEWUSER) < 0 || setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0))
		return stop("cannot become the tree's root", errno);
	if (setgroups(0, NULL) < 0)
		return stop("cannot give up groups", errno);
	close_fd(job->userns_fd);
	/* Nobody inside gets hold of this program, a file of the host's, through /proc. */
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0)
		return stop("cannot hide from /proc", errno);
	umask(022);
	return drop_capabilities(job);
}

static int make_run_files(const struct job *job)
{
	int r = 0;

	/* Not /run/systemd/system: whoever sees that believes that systemd runs. */
	if (mkdir("/run/lock", 01777) < 0 || chmod("/run/lock", 01777) < 0 || mkdir("/run/layerbox", 0755) < 0)
		r = -errno;
	if (r == 0 && job->ids_first)
		r = inside_make_account_programs(job->ids_first, job->ids_last);
	if (r == 0 && job->script)
		r = file_write(AT_FDCWD, INSIDE_SCRIPT, job->script_text, job->script_length, 0755, FILE_LAZY);
	return r < 0 ? stop("cannot write to /run of the tree", r) : 0;
}

/* What a reader may have beside its processes; of the disk nothing, but it may go on when it is told so. */
static int limit_reader(void)
{
	static const struct {
		__rlimit_resource_t resource;
		rlim_t max;
	} limits[] = {
		{ RLIMIT_AS, READER_ADDRESSES }, { RLIMIT_DATA, READER_DATA }, { RLIMIT_CPU, READER_CPU_S },
		{ RLIMIT_FSIZE, 0 },		 { RLIMIT_CORE, 0 },
	};

	for (size_t i = 0; i < sizeof limits / sizeof *limits; i++)
		if (setrlimit(limits[i].resource, &(struct rlimit){ limits[i].max, limits[i].max }) < 0)
			return stop("cannot limit what is read", errno);
	signal(SIGXFSZ, SIG_IGN);
	return 0;
}

static void run_program(const struct job *job)
{
	char *const *argv = job->argv;
	int error;

	if (job->reader && limit_reader() < 0) {
		fflush(stdout);
		_exit(STATUS_NOT_RUN);
	}
	execvp(argv[0], argv);
	error = errno;
	fprintf(stderr, "%s cannot be run: %s\n", argv[0], strerrordesc_np(error));
	_exit(error == ENOENT ? 127 : 126);
}

static int run_and_wait(const struct job *job)
{
	int status;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid < 0) {
		stop("cannot make a process", errno);
		return STATUS_NOT_RUN;
	}
	if (pid == 0)
		run_program(job);
	if (spawn_wait(pid, &status) < 0)
		status = STATUS_NOT_RUN;
	kill(-1, SIGKILL); /* all of this pid namespace that the program has left; this one and the first are spared */
	return status;
}

static int work(struct job *job)
{
	struct laid_file laid_policy = { .directory_fd = -1 }, laid_resolv_conf = { .directory_fd = -1 };
	int status;

	if (make_run_files(job) < 0)
		return STATUS_NOT_RUN;
	if (!job->policy_covered)
		inside_lay_file("/" POLICY, policy, 0755, &laid_policy);
	if (job->resolv_conf && !job->resolv_conf_covered) {
		inside_lay_file("/" RESOLV_CONF, job->resolv_conf, 0644, &laid_resolv_conf);
		if (!laid_resolv_conf.path)
			inside_fill_link("/" RESOLV_CONF, job->resolv_conf);
	}
	status = run_and_wait(job);
	inside_take_file(&laid_resolv_conf);
	inside_take_file(&laid_policy);
	return status;
}

int main(int argc, char **argv)
{
	struct job job = { .userns_fd = -1 };
	int status = STATUS_NOT_RUN;

	if (parse(argc, argv, &job) < 0) {
		fprintf(stderr, "layerbox-inside: is run by layerbox only\n");
		return 2;
	}
	if (read_files(&job) == 0 && leave_host(&job) == 0 && enter_tree(&job) == 0 && become_root_of_tree(&job) == 0)
		status = work(&job);
	free(job.resolv_conf);
	free(job.script_text);
	return status;
}
