/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "event.h"

#include <fcntl.h>
#include <time.h>

#include "../adapters/event-line.h"
#include "../adapters/journal.h"
#include "../core/log-directory.h"
#include "../core/name.h"
#include "../util/file.h"
#include "event-file.h"
#include "words.h"

static int64_t now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_REALTIME, &time);
	return time.tv_sec * 1000000LL + time.tv_nsec / 1000;
}

/* Who logged in, where somebody did: with sudo, everybody is root. */
static uid_t login_uid(void)
{
	CLEANUP_FREE char *text = NULL;
	uint64_t uid;

	if (file_read(AT_FDCWD, "/proc/self/loginuid", 32, &text, NULL) == 0 &&
	    text_to_number(text_trim(text), 0, UINT32_MAX - 1, &uid))
		return (uid_t)uid;
	return getuid();
}

static void append(struct lb_context *ctx, const struct lb_event *event)
{
	CLEANUP_FREE char *line = event_line_write(event);
	CLEANUP_FD int logs_fd = line ? log_directory_open(ctx) : -1;

	if (logs_fd >= 0)
		event_file_append(logs_fd, line);
}

static void send(struct lb_context *ctx, const struct lb_event *event, bool failed)
{
	CLEANUP_FREE char *message = NULL;
	char words[64];

	event_words(event->action, failed, words, sizeof words);
	message = text_format("%s%s%s%s%s", event->container, *event->container ? ": " : "", words,
			      *event->message ? ": " : "", event->message);
	if (message)
		journal_send(JOURNAL_SOCKET, (const struct journal_field[]){
						     { "MESSAGE", message },
						     { "PRIORITY", failed ? "3" : "6" },
						     { "SYSLOG_IDENTIFIER", "layerbox" },
						     { "CONTAINER_NAME", event->container },
						     { "LAYERBOX_ACTION", event->action },
						     { "LAYERBOX_RESULT", event->result },
						     { "LAYERBOX_ROOT", ctx->config.root },
						     { 0 },
					     });
}

void event_tell(struct lb_context *ctx, const char *action, const char *container, int result, const char *text)
{
	const struct lb_event event = {
		.size = sizeof event,
		.time = now(),
		.action = action,
		.container = container,
		.result = lb_error_name(result),
		.message = text,
		.pid = getpid(),
		.uid = login_uid(),
	};
	const int saved = errno;

	/* Who is not root changes nothing, and a name that cannot be one's is nobody's. */
	if (result > 0 || geteuid() != 0 || !container || (*container && !name_is_valid(container)))
		return;
	append(ctx, &event);
	send(ctx, &event, result < 0);
	errno = saved;
}

int event_of(struct lb_context *ctx, const char *action, const char *container, int result, const char *detail)
{
	event_tell(ctx, action, container, result, result < 0 ? ctx->error : detail);
	return result;
}
