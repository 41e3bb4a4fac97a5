/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "supervisor.h"

#include <stdio.h>

#include "../events/event.h"

static void give_alert(struct supervisor *supervisor, const char *event, const char *name, const char *text)
{
	struct tell_task *task = task_tell(name, event, text);

	if (task)
		works_give(supervisor->works, &task->work);
	else
		log_message(supervisor->ctx, LB_LOG_WARNING, "out of memory: nobody is told that %s", text);
}

void say(struct supervisor *supervisor, const struct saying *saying, const char *format, ...)
{
	const struct lb_watch_options *options = supervisor->options;
	char detail[TASK_TEXT_SIZE], text[TASK_TEXT_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(detail, sizeof detail, format, args);
	va_end(args);
	if (*saying->name)
		snprintf(text, sizeof text, "container '%s' %s%.900s", saying->name, saying->words, detail);
	else
		snprintf(text, sizeof text, "%s%.900s", saying->words, detail);
	if (options->fn)
		options->fn(saying->event, saying->name, text, options->userdata);
	event_tell(supervisor->ctx, saying->event, saying->name, saying->result, detail);
	if (saying->is_alert)
		give_alert(supervisor, saying->event, saying->name, text);
}

static void say_ended(struct supervisor *supervisor, const struct item *item, int status)
{
	const struct health_entry *kept = &item->policy.kept;
	const struct saying ended = { .event = "ended", .name = kept->name, .words = "",
				      .result = policy_is_failure(status) ? -LB_ERR_RUNTIME : 0 };
	char how[64];

	policy_describe_end(status, how, sizeof how);
	if (kept->start_ms)
		say(supervisor, &ended, "%s; it is started again in %lld s", how,
		    kept->start_ms > kept->since_ms ? (long long)(kept->start_ms - kept->since_ms + 999) / 1000 : 0);
	else
		say(supervisor, &ended, "%s", how);
}

/* Why it is down, for good. */
static void describe_failure(const struct item *item, bool has_ended, const struct policy_event *event, char *ret_how,
			     size_t size)
{
	if (has_ended)
		policy_describe_end(event->status, ret_how, size);
	else if (event->type == POLICY_START_FAILED)
		snprintf(ret_how, size, "could not be started: %.400s", item->why ? item->why : "nobody knows why");
	else
		snprintf(ret_how, size, "ended, and restart.policy is no by now");
}

static void say_failed(struct supervisor *supervisor, const struct item *item, bool has_ended,
		       const struct policy_event *event)
{
	const struct health_entry *kept = &item->policy.kept;
	const struct saying failed = { .event = "failed", .name = kept->name, .result = -LB_ERR_RUNTIME,
				       .words = "has failed and is not started again: it ", .is_alert = true };
	char how[TASK_TEXT_SIZE / 2], after[64] = "";

	describe_failure(item, has_ended, event, how, sizeof how);
	if (kept->restarts)
		snprintf(after, sizeof after, " after %u restart%s in a row", kept->restarts,
			 kept->restarts > 1 ? "s" : "");
	say(supervisor, &failed, "%s%s", how, after);
}

static void say_unhealthy(struct supervisor *supervisor, const struct item *item, bool is_restarted)
{
	const struct saying unhealthy = { .event = "unhealthy", .name = item->policy.kept.name,
					  .result = -LB_ERR_UNHEALTHY, .words = "is unhealthy: ", .is_alert = true };

	say(supervisor, &unhealthy, "%s%s", item->why ? item->why : "its check fails",
	    is_restarted ? "; it is restarted" : "");
}

void say_actions(struct supervisor *supervisor, const struct item *item, unsigned actions,
		 const struct policy_event *event)
{
	const struct saying recovered = { .event = "recovered", .name = item->policy.kept.name,
					  .words = "is well again", .is_alert = true };
	const struct saying unknown = { .event = "unknown", .name = item->policy.kept.name, .result = -LB_ERR_RUNTIME,
					.words = "cannot be checked, so nobody knows how it is: ", .is_alert = true };

	if (actions & POLICY_TELL_RECOVERED)
		say(supervisor, &recovered, "%s", "");
	if (actions & POLICY_TELL_UNHEALTHY)
		say_unhealthy(supervisor, item, actions & POLICY_RESTART);
	if (actions & POLICY_TELL_UNKNOWN)
		say(supervisor, &unknown, "%s", item->why ? item->why : "nobody knows why");
	if (actions & POLICY_SAY_ENDED)
		say_ended(supervisor, item, event->status);
	if (actions & POLICY_TELL_FAILED)
		say_failed(supervisor, item, actions & POLICY_SAY_ENDED, event);
}

void say_changed(struct supervisor *supervisor, const struct change_task *task)
{
	struct saying restarted = { .event = "restarted", .name = task->work.name };

	if (task->result == POLICY_START_FAILED) {
		restarted.result = -LB_ERR_RUNTIME;
		restarted.words = task->is_restart ? "could not be restarted: " : "could not be started again: ";
		say(supervisor, &restarted, "%s", task->text);
	} else if (task->result == POLICY_STARTED && !task->ran_already) {
		restarted.words = task->is_restart ? "was restarted " : "was started again";
		say(supervisor, &restarted, "%s", task->is_restart ? "because it was unhealthy" : "");
	}
}

void say_disk(struct supervisor *supervisor, const struct disk_usage *usage)
{
	const struct saying full = { .event = "disk-full", .name = "", .result = -ENOSPC, .is_alert = true,
				     .words = "the file system of the containers is nearly full: " };
	const struct saying ok = { .event = "disk-ok", .name = "", .is_alert = true,
				   .words = "the file system of the containers is not that full any more: " };

	say(supervisor, supervisor->disk_told ? &full : &ok, "%u %% of the space and %u %% of the inodes of %s are used",
	    usage->space, usage->inodes, supervisor->ctx->config.root);
}
