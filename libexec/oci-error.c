/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "oci-error.h"

#include "archive-entry.h"

static void PRINTF_LIKE(2, 0) say(struct oci_error *error, const char *format, va_list arguments)
{
	vsnprintf(error->text, sizeof error->text, format, arguments);
}

int oci_fail(struct oci_error *error, int code, const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	say(error, format, arguments);
	va_end(arguments);
	return code;
}

int oci_fail_errno(struct oci_error *error, int code, const char *format, ...)
{
	va_list arguments;
	size_t length;

	va_start(arguments, format);
	say(error, format, arguments);
	va_end(arguments);
	length = strlen(error->text);
	snprintf(error->text + length, sizeof error->text - length, ": %s", strerrordesc_np(-code));
	return code;
}

int oci_fail_memory(struct oci_error *error)
{
	return oci_fail(error, -ENOMEM, "there is not enough memory");
}

int oci_fail_archive(struct oci_error *error, struct archive *where, const char *what, const char *name)
{
	return archive_sentence(where, what, name, error->text, sizeof error->text);
}
