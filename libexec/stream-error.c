/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "stream-error.h"

static int PRINTF_LIKE(3, 0)
	say(struct stream_error *error, enum stream_status status, const char *format, va_list arguments)
{
	error->status = status;
	vsnprintf(error->text, sizeof error->text, format, arguments);
	text_printable(error->text);
	return -(int)status;
}

int stream_fail(struct stream_error *error, enum stream_status status, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(error, status, format, arguments);
	va_end(arguments);
	return -(int)status;
}

int stream_fail_errno(struct stream_error *error, enum stream_status status, int number, const char *format, ...)
{
	const char *meaning = strerrordesc_np(number);
	va_list arguments;
	size_t length;

	if (number == ENOSPC || number == EDQUOT)
		status = STREAM_NO_SPACE;
	va_start(arguments, format);
	say(error, status, format, arguments);
	va_end(arguments);
	length = strlen(error->text);
	snprintf(error->text + length, sizeof error->text - length, ": %s", meaning ? meaning : "unknown error");
	return -(int)status;
}

/* What the kernel says of names, sizes and attributes that cannot be, and of what is in the way. */
static bool is_the_streams_fault(int number)
{
	static const int faults[] = { EINVAL,       EEXIST, ENOENT, ENOTDIR, EISDIR,    ELOOP,
				      ENAMETOOLONG, EFBIG,  EPERM,  ERANGE,  EOVERFLOW, E2BIG };

	for (size_t i = 0; i < sizeof faults / sizeof *faults; i++)
		if (number == faults[i])
			return true;
	return false;
}

int stream_fail_member(struct stream_error *error, int number, const char *member)
{
	return stream_fail_errno(error, is_the_streams_fault(number) ? STREAM_BAD : STREAM_FAILED, number,
				 "cannot unpack %s", member);
}
