/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * floor - the least that making a container can cost: its directories, a configuration, and both on disk.
 *
 *   floor DIRECTORY    makes DIRECTORY with rootfs-layer, work, rootfs and config in it
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	static const char config[] = "lxc.uts.name = floor\nlxc.net.0.type = veth\nlxc.net.0.link = lxcbr0\n";
	int directory_fd, fd;

	if (argc != 2 || mkdir(argv[1], 0700) < 0)
		return 1;
	directory_fd = open(argv[1], O_RDONLY | O_DIRECTORY);
	if (directory_fd < 0 || mkdirat(directory_fd, "rootfs-layer", 0755) < 0 || mkdirat(directory_fd, "work", 0700) < 0 ||
	    mkdirat(directory_fd, "rootfs", 0755) < 0)
		return 1;
	fd = openat(directory_fd, "config", O_WRONLY | O_CREAT | O_EXCL, 0600);
	if (fd < 0 || write(fd, config, strlen(config)) < 0 || fsync(fd) < 0 || fsync(directory_fd) < 0)
		return 1;
	return 0;
}
