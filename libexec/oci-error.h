/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The one sentence that the parts of layerbox-oci leave where something failed. */
#pragma once

#include "util/text.h"

struct archive;

/* What is wrong with an image, as opposed to the host. */
#define OCI_BAD_IMAGE (-EBADMSG)

struct oci_error {
	char text[1024];
};

/* Makes the sentence and returns @code, a negative errno; oci_fail_errno() adds what @code means. */
int oci_fail(struct oci_error *error, int code, const char *format, ...) PRINTF_LIKE(3, 4);
int oci_fail_errno(struct oci_error *error, int code, const char *format, ...) PRINTF_LIKE(3, 4);
int oci_fail_memory(struct oci_error *error);

/* "WHAT NAME: CAUSE", with libarchive's cause. */
int oci_fail_archive(struct oci_error *error, struct archive *where, const char *what, const char *name);
