/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "supervisor.h"

#include <stdio.h>

/* Beside the lines of commands, in ROOT/logs/events and the journal. */
static void note_event(struct supervisor *supervisor, const char *event, const char *name, int result, const char *text)
{
	(void)supervisor, (void)event, (void)name, (void)result, (void)text;
}

static void give_alert(struct supervisor *supervisor, const char *event, const char *name, const char *text)
{
	struct tell_task *task = task_tell(name, event, text);

	if (task)
		works_give(supervisor->works, &task->work);
	else
		log_message(supervisor->ctx, LB_LOG_WARNING, "out of memory: nobody is told that %s", text);
}

void say(struct supervisor *supervisor, const char *event, const char *name, int result, bool is_alert,
	 const char *format, ...)
{
	const struct lb_watch_options *options = supervisor->options;
	char text[TASK_TEXT_SIZE];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (options->fn)
		options->fn(event, name, text, options->userdata);
	note_event(supervisor, event, name, result, text);
	if (is_alert)
		give_alert(supervisor, event, name, text);
}

static void say_ended(struct supervisor *supervisor, const struct item *item, int status)
{
	const struct health_entry *kept = &item->policy.kept;
	char how[64], then[64] = "";

	policy_describe_end(status, how, sizeof how);
	if (kept->start_ms)
		snprintf(then, sizeof then, "; it is started again in %lld s",
			 (long long)(kept->start_ms - kept->since_ms + 999) / 1000);
	say(supervisor, "ended", kept->name, policy_is_failure(status) ? -LB_ERR_RUNTIME : 0, false,
	    "container '%s' %s%s", kept->name, how, then);
}

static void say_failed(struct supervisor *supervisor, const struct item *item, bool has_ended, int status)
{
	const struct health_entry *kept = &item->policy.kept;
	char how[TASK_TEXT_SIZE / 2], after[64] = "";

	if (has_ended)
		policy_describe_end(status, how, sizeof how);
	else
		snprintf(how, sizeof how, "could not be started: %.400s", item->why ? item->why : "nobody knows why");
	if (kept->restarts)
		snprintf(after, sizeof after, " after %u restart%s in a row", kept->restarts,
			 kept->restarts > 1 ? "s" : "");
	say(supervisor, "failed", kept->name, -LB_ERR_RUNTIME, true,
	    "container '%s' has failed%s and is not started again: it %s", kept->name, after, how);
}

void say_actions(struct supervisor *supervisor, const struct item *item, unsigned actions, int status)
{
	const char *name = item->policy.kept.name;

	if (actions & POLICY_TELL_RECOVERED)
		say(supervisor, "recovered", name, 0, true, "container '%s' is well again", name);
	if (actions & POLICY_TELL_UNHEALTHY)
		say(supervisor, "unhealthy", name, -LB_ERR_UNHEALTHY, true, "container '%s' is unhealthy%s: %s", name,
		    actions & POLICY_RESTART ? " and is restarted" : "", item->why ? item->why : "its check fails");
	if (actions & POLICY_SAY_ENDED)
		say_ended(supervisor, item, status);
	if (actions & POLICY_TELL_FAILED)
		say_failed(supervisor, item, actions & POLICY_SAY_ENDED, status);
}
