/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "event-line.h"

#include <jansson.h>
#include <time.h>

#include "../util/text.h"
#include "../util/utf8.h"

/* A character becomes two in JSON at most, where it is a quote or a backslash: both fit, with all else of the line. */
enum { MESSAGE_MAX = 1500, MICROSECONDS = 1000000 };

static const char begin[] = "{\"time\":\"";

void event_time_write(int64_t time, char ret_text[EVENT_TIME_SIZE])
{
	const time_t seconds = time / MICROSECONDS;
	struct tm tm = { 0 };
	size_t n;

	gmtime_r(&seconds, &tm);
	n = strftime(ret_text, EVENT_TIME_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(ret_text + n, EVENT_TIME_SIZE - n, ".%06dZ", (int)(time % MICROSECONDS));
}

int64_t event_time_read(const char *text)
{
	struct tm tm = { 0 };
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);
	char digits[7];
	uint64_t micro;

	if (!rest || *rest != '.' || strlen(rest) != 8 || rest[7] != 'Z')
		return -1;
	memcpy(digits, rest + 1, 6);
	digits[6] = '\0';
	if (!text_to_number(digits, 0, MICROSECONDS - 1, &micro))
		return -1;
	return (int64_t)timegm(&tm) * MICROSECONDS + (int64_t)micro;
}

/* One line that JSON can hold, and not too long. */
static char *message_of(const struct lb_event *event)
{
	char *message = strdup(event->message);

	for (char *p = message; p && *p; p++)
		if (*p == '\n' || *p == '\t')
			*p = ' ';
	if (message)
		message[utf8_whole(utf8_clean(message), MESSAGE_MAX)] = '\0';
	return message;
}

char *event_line_write(const struct lb_event *event)
{
	CLEANUP_FREE char *message = message_of(event);
	CLEANUP_FREE char *text = NULL;
	char time[EVENT_TIME_SIZE];
	json_t *object;

	if (!message)
		return NULL;
	event_time_write(event->time, time);
	object = json_pack("{s:s, s:s, s:s, s:s, s:s, s:I, s:I}", "time", time, "action", event->action, "container",
			   event->container, "result", event->result, "message", message, "pid",
			   (json_int_t)event->pid, "uid", (json_int_t)event->uid);
	text = object ? json_dumps(object, JSON_COMPACT) : NULL;
	json_decref(object);
	return text ? text_format("%s\n", text) : NULL;
}

static const char *string_of(const json_t *object, const char *key)
{
	const char *value = json_string_value(json_object_get(object, key));

	return value ? value : "";
}

/* Where the last event of @line begins: before it may stand what was cut off on a full disk. NULL where none does. */
static const char *last_begin(const char *line)
{
	const char *found = NULL;

	/* Within a string the quotes would have backslashes. */
	for (const char *next = strstr(line, begin); next; next = strstr(next + 1, begin))
		found = next;
	return found;
}

bool event_line_read(const char *line, struct event_line *ret_line)
{
	const char *text = last_begin(line);
	json_t *object = text ? json_loads(text, 0, NULL) : NULL;
	const int64_t time = event_time_read(string_of(object, "time"));

	if (time < 0 || !*string_of(object, "action")) {
		json_decref(object);
		return false;
	}
	*ret_line = (struct event_line){
		.event = {
			.size = sizeof ret_line->event,
			.time = time,
			.action = string_of(object, "action"),
			.container = string_of(object, "container"),
			.result = string_of(object, "result"),
			.message = string_of(object, "message"),
			.pid = (pid_t)json_integer_value(json_object_get(object, "pid")),
			.uid = (uid_t)json_integer_value(json_object_get(object, "uid")),
		},
		.object = object,
	};
	return true;
}

void event_line_free(struct event_line *line)
{
	json_decref(line->object);
	line->object = NULL;
}
