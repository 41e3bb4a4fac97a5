/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* The lines that say what goes into a stream, done one by one; layerbox-stream.c has them. */
#pragma once

#include "stream-error.h"
#include "stream-format.h"

int stream_pack(FILE *plan, int out_fd, enum stream_form form, struct stream_error *error);
