/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * How the parts of layerbox-stream fail: one sentence, made where the cause is known, and a status, which is also the
 * program's. All of them return 0 or the negated status.
 */
#pragma once

#include "util/text.h"

enum stream_status {
	STREAM_FAILED = 1,
	STREAM_NO_SPACE = 2,
	STREAM_BAD = 3,               /* the stream is damaged, cut off or not to be trusted */
};

struct stream_error {
	enum stream_status status;
	char text[1024];              /* fit for a terminal */
};

int stream_fail(struct stream_error *error, enum stream_status status, const char *format, ...) PRINTF_LIKE(3, 4);

/* The same with what @number (an errno) means; a full disk is STREAM_NO_SPACE whatever @status says. */
int stream_fail_errno(struct stream_error *error, enum stream_status status, int number, const char *format, ...)
	PRINTF_LIKE(4, 5);

/*
 * For a system call that put @member to disk: whether the stream is to blame for what no file system takes, or the
 * system is.
 */
int stream_fail_member(struct stream_error *error, int number, const char *member);
