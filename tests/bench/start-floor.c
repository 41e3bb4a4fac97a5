/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * start-floor - the least that starting containers can cost: what the kernel has to do for each, and nothing else.
 *
 *   start-floor BRIDGE BASE SCRATCH COUNT
 *
 * For each of COUNT containers: a cgroup below /sys/fs/cgroup (version 2), a process in new user, mount, pid, network,
 * UTS, IPC and cgroup namespaces with 65536 ids, a pair of veths from BRIDGE into it, an overlay over the tree BASE with
 * its top layer below SCRATCH, /proc, pivot_root, and the tree's /sbin/init. Prints milliseconds until all of them run
 * init. They end with this program, which removes what it made.
 */
#define _GNU_SOURCE
#include <err.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <netlink/route/link.h>
#include <netlink/route/link/veth.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { FIRST_ID = 1000000, IDS = 65536 };

static const char *base, *scratch;

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		err(1, "%s", path);
	close(fd);
}

static void make_directory(const char *path)
{
	if (mkdir(path, 0755) < 0)
		err(1, "mkdir %s", path);
}

/* In the container, as soon as its ids are there; the pipe is closed by exec, which the parent waits for. */
static void become_init(unsigned n, int go_fd)
{
	char options[512], place[256], go;

	if (read(go_fd, &go, 1) != 1)
		_exit(1);
	snprintf(place, sizeof place, "%s/%u/root", scratch, n);
	snprintf(options, sizeof options, "lowerdir=%s,upperdir=%s/%u/upper,workdir=%s/%u/work,userxattr", base, scratch, n,
		 scratch, n);
	if (setgid(0) < 0 || setuid(0) < 0 || sethostname("floor", 5) < 0)
		err(1, "ids");
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0 || mount("floor", place, "overlay", 0, options) < 0)
		err(1, "overlay %s", options);
	if (chdir(place) < 0 || mount("proc", "proc", "proc", MS_NOSUID | MS_NODEV | MS_NOEXEC, NULL) < 0)
		err(1, "proc");
	if (syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0)
		err(1, "pivot_root");
	execl("/sbin/init", "init", NULL);
	err(1, "init");
}

static pid_t start(unsigned n, struct nl_sock *netlink, int bridge, int done_fd)
{
	struct clone_args args = { .flags = CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWPID | CLONE_NEWNET | CLONE_NEWUTS |
					    CLONE_NEWIPC | CLONE_NEWCGROUP | CLONE_INTO_CGROUP,
				   .exit_signal = SIGCHLD };
	char path[256], map[64], name[16], peer[16];
	struct rtnl_link *veth;
	int go[2], cgroup_fd;
	pid_t pid;

	snprintf(path, sizeof path, "/sys/fs/cgroup/floor-%u", n);
	make_directory(path);
	cgroup_fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	args.cgroup = (unsigned)cgroup_fd;
	if (cgroup_fd < 0 || pipe2(go, O_CLOEXEC) < 0)
		err(1, "%s", path);
	pid = (pid_t)syscall(SYS_clone3, &args, sizeof args);
	if (pid < 0)
		err(1, "clone3");
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		fcntl(done_fd, F_SETFD, FD_CLOEXEC);
		become_init(n, go[0]);
	}
	snprintf(map, sizeof map, "0 %d %d\n", FIRST_ID, IDS);
	snprintf(path, sizeof path, "/proc/%d/uid_map", pid);
	write_file(path, map);
	snprintf(path, sizeof path, "/proc/%d/gid_map", pid);
	write_file(path, map);
	snprintf(name, sizeof name, "floor%u", n);
	snprintf(peer, sizeof peer, "eth0");
	veth = rtnl_link_veth_alloc();
	rtnl_link_set_name(veth, name);
	rtnl_link_set_name(rtnl_link_veth_get_peer(veth), peer);
	rtnl_link_set_ns_pid(rtnl_link_veth_get_peer(veth), pid);
	rtnl_link_set_master(veth, bridge);
	rtnl_link_set_flags(veth, 1 /* IFF_UP */);
	if (rtnl_link_add(netlink, veth, NLM_F_CREATE | NLM_F_EXCL) < 0)
		errx(1, "cannot make %s", name);
	rtnl_link_put(veth);
	if (write(go[1], "x", 1) != 1)
		err(1, "pipe");
	close(go[0]);
	close(go[1]);
	close(cgroup_fd);
	return pid;
}

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

int main(int argc, char **argv)
{
	unsigned count = argc == 5 ? (unsigned)atoi(argv[4]) : 0;
	struct nl_sock *netlink = nl_socket_alloc();
	pid_t *pids = calloc(count + 1, sizeof *pids);
	struct rtnl_link *bridge;
	int done[2];
	double begin;
	char path[256], end;

	if (!count || !pids || !netlink || nl_connect(netlink, NETLINK_ROUTE) < 0 ||
	    rtnl_link_get_kernel(netlink, 0, argv[1], &bridge) < 0 || pipe2(done, O_CLOEXEC) < 0)
		errx(1, "usage: start-floor BRIDGE BASE SCRATCH COUNT");
	base = argv[2];
	scratch = argv[3];
	for (unsigned n = 0; n < count; n++) {
		static const char *const parts[] = { "", "/upper", "/work", "/root" };

		for (size_t i = 0; i < 4; i++) {
			snprintf(path, sizeof path, "%s/%u%s", scratch, n, parts[i]);
			make_directory(path);
			if (chown(path, FIRST_ID, FIRST_ID) < 0)
				err(1, "%s", path);
		}
	}
	begin = now_ms();
	for (unsigned n = 0; n < count; n++)
		pids[n] = start(n, netlink, rtnl_link_get_ifindex(bridge), done[1]);
	close(done[1]);
	if (read(done[0], &end, 1) != 0)
		errx(1, "somebody wrote into the pipe");
	printf("%.2f\n", now_ms() - begin);
	for (unsigned n = 0; n < count; n++)
		kill(pids[n], SIGKILL);
	for (unsigned n = 0; n < count; n++) {
		waitpid(pids[n], NULL, 0);
		snprintf(path, sizeof path, "/sys/fs/cgroup/floor-%u", n);
		while (rmdir(path) < 0)
			usleep(1000);
	}
	return 0;
}
