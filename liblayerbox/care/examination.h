/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What the doctor's parts have in common. */
#pragma once

#include "../container/record.h"
#include "../core/findings.h"

struct examination {
	struct lb_context *ctx;
	struct findings *findings;
	size_t watched;               /* containers that a supervisor is to look after */
	bool wants_mail;              /* is mail to be sent of any? */
	bool is_renaming;             /* a rename of some container is not finished, or may not be */
};

/*
 * Which of the kernel's limits are too low for so many containers, and which bridges have no ports for all of theirs?
 */
void examine_limits(struct examination *examination, size_t containers);

/* Notes what @name wants of the supervisor; and, behind all of them: can they have that? */
void note_watched(struct examination *examination, const char *name, const struct record *record);
void examine_supervisor(struct examination *examination);

/* Logs in ROOT/logs of containers that are not there. */
void examine_logs(struct examination *examination);
