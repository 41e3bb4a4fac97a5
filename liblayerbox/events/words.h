/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How events are told to people. Pure. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/*
 * What became of @action: "started", "start failed". What is no command's, such as "unhealthy", is told as it is,
 * failed or not.
 */
void event_words(const char *action, bool failed, char *ret_words, size_t size);
