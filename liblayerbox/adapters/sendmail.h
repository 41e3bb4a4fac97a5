/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Mail, by the host's sendmail(8): what every mail server brings along. */
#pragma once

#include "../util/text.h"

#define SENDMAIL "/usr/sbin/sendmail"

struct mail {
	const char *to;               /* addresses with spaces between them, as core/mail.h takes them */
	const char *subject;
	const char *text;             /* one or several lines */
	int64_t time;                 /* seconds since the epoch */
};

/* The message with its headers; whatever the words are, they add none. The caller's, NULL without memory. Pure. */
char *mail_compose(const struct mail *mail);

/*
 * Hands it to sendmail, for at most @timeout_s seconds. *ret_status and *ret_output (the caller's) as for spawn_run();
 * -ENOENT where there is no sendmail.
 */
int mail_send(const struct mail *mail, unsigned timeout_s, int *ret_status, char **ret_output);
