/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "process-time.h"

#include <fcntl.h>
#include <stdio.h>

#include "../util/file.h"
#include "../util/text.h"

enum { STAT_BYTES_MAX = 1 << 20, WORDS_BEFORE_START = 19 };

/* Both clocks read here would differ by some of the time that passes between them; the kernel's own number does not. */
int64_t host_boot_time(void)
{
	CLEANUP_FREE char *text = NULL;
	struct slice rest, line, word;
	uint64_t number;

	if (file_read(AT_FDCWD, "/proc/stat", STAT_BYTES_MAX, &text, NULL) < 0)
		return 0;
	rest = slice_of(text);
	while (slice_cut(&rest, '\n', &line))
		if (slice_cut(&line, ' ', &word) && slice_is(word, "btime") &&
		    slice_to_number(slice_trim(line), 0, INT64_MAX, &number))
			return (int64_t)number;
	return 0;
}

/* "PID (NAME) STATE PPID ...": a name may have spaces and parentheses in it, nothing behind it has. */
int64_t process_start_time(pid_t pid, int64_t booted)
{
	CLEANUP_FREE char *text = NULL;
	struct slice rest, word;
	const char *end;
	char path[64];
	uint64_t ticks;

	snprintf(path, sizeof path, "/proc/%d/stat", pid);
	if (pid <= 0 || booted <= 0 || file_read(AT_FDCWD, path, STAT_BYTES_MAX, &text, NULL) < 0)
		return 0;
	end = strrchr(text, ')');
	if (!end || end[1] != ' ')
		return 0;
	rest = slice_of(end + 2);
	for (int i = 0; i < WORDS_BEFORE_START; i++)
		if (!slice_cut(&rest, ' ', &word))
			return 0;
	if (!slice_cut(&rest, ' ', &word) || !slice_to_number(word, 0, INT64_MAX, &ticks))
		return 0;
	return booted + (int64_t)(ticks / (uint64_t)sysconf(_SC_CLK_TCK));
}
