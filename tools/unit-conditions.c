/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "unit-conditions.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <layerbox.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

bool root_was_never_made(const struct lb_context *context)
{
	const char *root = lb_context_root(context);

	/* Another one was named by somebody, and may be missing because its disk is. */
	return strcmp(root, LOCALSTATEDIR "/lib/layerbox") == 0 && access(root, F_OK) < 0 && errno == ENOENT;
}

/* The first word of what `systemctl is-system-running` prints; its exit status says nothing more. */
static bool ask_systemd(char *word, size_t size)
{
	char *argv[] = { (char[]){ "systemctl" }, (char[]){ "is-system-running" }, NULL };
	posix_spawn_file_actions_t actions;
	ssize_t n = 0, length = 0;
	int ends[2];
	pid_t pid;
	bool runs;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return false;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, ends[1], STDOUT_FILENO);
	runs = posix_spawnp(&pid, argv[0], &actions, NULL, argv, environ) == 0;
	posix_spawn_file_actions_destroy(&actions);
	close(ends[1]);
	while (runs && (n = read(ends[0], word + length, size - 1 - (size_t)length)) > 0)
		length += n;
	close(ends[0]);
	if (runs)
		waitpid(pid, NULL, 0);
	word[length] = '\0';
	word[strcspn(word, " \n")] = '\0';
	return runs;
}

bool host_goes_down(void)
{
	char word[64];

	return ask_systemd(word, sizeof word) && strcmp(word, "stopping") == 0;
}

bool unit_has_ended(void)
{
	/* systemd sets it as long as the unit's main process is there: systemd.exec(5). */
	return !getenv("MAINPID");
}

bool output_is_journal(void)
{
	/* Of the stream's socket, and inherited by who has another output: systemd.exec(5). */
	const char *stream = getenv("JOURNAL_STREAM");
	uintmax_t device, inode;
	struct stat st;

	return stream && sscanf(stream, "%ju:%ju", &device, &inode) == 2 && fstat(STDOUT_FILENO, &st) == 0 &&
	       st.st_dev == device && st.st_ino == inode;
}
