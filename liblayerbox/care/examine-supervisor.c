/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <stdio.h>

#include "../adapters/sendmail.h"
#include "../health/status-file.h"
#include "../watch/policy.h"
#include "examination.h"

static bool is_address(const char *mail)
{
	return !text_empty(mail) && !text_equal(mail, "none");
}

void note_watched(struct examination *examination, const char *name, const struct record *record)
{
	if (policy_supervises(record, name, examination->ctx->config.restart_policy))
		examination->watched++;
	examination->wants_mail = examination->wants_mail || is_address(record->alert_mail);
}

static bool is_there(struct examination *examination)
{
	CLEANUP_FREE char *path = health_status_path_of(examination->ctx);

	return path && health_status_is_locked(path);
}

void examine_supervisor(struct examination *examination)
{
	char problem[192];

	snprintf(problem, sizeof problem,
		 "no supervisor runs, and %zu container%s to be checked or started again (health.*, restart.policy): "
		 "nobody does that",
		 examination->watched, examination->watched == 1 ? " is" : "s are");
	if (examination->watched && !is_there(examination))
		found(examination->findings, false, "host", problem, "systemctl enable --now layerbox-watch.service");
	if ((examination->wants_mail || is_address(examination->ctx->config.alert_mail)) &&
	    access(SENDMAIL, X_OK) < 0)
		found(examination->findings, false, "host",
		      "alert.mail is set, and there is no " SENDMAIL ": no mail is sent",
		      "apt install a mail server that can send, such as dma or postfix, or set alert.command instead");
}
