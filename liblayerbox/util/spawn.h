/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Running other programs: an argument vector, never a shell; they end when their caller's thread ends. */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

/* Receives what the program prints, line by line, standard output and error together. */
typedef void (*spawn_line_fn)(const char *line, void *userdata);

/* Gives the program's next line of input, valid until the next call; NULL behind the last. */
typedef const char *(*spawn_input_fn)(void *userdata);

struct spawn_options {
	const char *input;            /* text for its standard input; NULL: /dev/null */
	int input_fd;                 /* instead of a text: what it reads from; 0: nothing */
	spawn_input_fn next_line;     /* instead of a text: asked for a line whenever the program has room for one */
	const char *const *env;       /* whole environment; NULL: the caller's */
	const char *root;             /* chroot(2) there first, in a mount namespace with its own /proc */
	bool outlives_caller;         /* it daemonizes itself: no death signal */
	bool own_namespaces;          /* private mount and pid namespaces: all it started and mounted ends with it */
	bool own_session;             /* what it leaves behind lives on; where it is killed, its process group is, too */
	unsigned timeout_s;           /* then it is killed, with @own_namespaces and all it has started: -ETIMEDOUT; 0: never */
	bool timeout_of_silence;      /* @timeout_s counts anew from each piece of its output */
	int end_fd;                   /* it is killed as soon as this can be read from or nobody writes to it; 0: none */
	int output_fd;                /* where all of standard output goes, so that only errors are taken; 0: both are */
	const int *inherited;         /* descriptors above 2 that it has too, by the same numbers; 0 ends them */
	int third_fd;                 /* what it has as its descriptor 3, without @inherited; 0: nothing */
	spawn_line_fn on_line;
	bool slow_output;             /* who prints without end is let wait: 64 KiB are taken each hundredth of a second */
	bool raw_lines;               /* control characters in lines stay as they are */
	void *userdata;
};

/*
 * Runs @argv to its end, whoever else has its output still. *ret_status is its exit status or 128 + signal;
 * *ret_output (may be NULL) the last part of what it printed, the caller's. -ENOENT when the program is not there,
 * other errno for the rest.
 */
int spawn_run(const char *const *argv, const struct spawn_options *options, int *ret_status, char **ret_output);

/* Is there a program of that name in PATH or the usual sbin directories? *ret_path is the caller's. */
bool spawn_find(const char *program, char **ret_path);

/* waitpid(2) for a status as above. */
int spawn_wait(pid_t pid, int *ret_status);

/* execve(2) is declared without a const that it honours. */
char *const *spawn_vector(const char *const *strings);
