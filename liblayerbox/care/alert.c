/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "alert.h"

#include <limits.h>
#include <time.h>

#include "../adapters/sendmail.h"
#include "../container/record.h"
#include "../core/environment.h"
#include "../core/store.h"
#include "../util/spawn.h"

enum { PATIENCE_S = 30 };

struct alert {
	const char *event, *container, *message;
	char *command, *mail;         /* who is told; NULL or "": nobody */
};

static void warn_about(struct lb_context *ctx, const struct alert *alert, const char *what, int r, int status,
		       char *output)
{
	if (r < 0)
		log_message(ctx, LB_LOG_WARNING, "cannot tell of '%s' by %s: %s", alert->event, what,
			    strerrordesc_np(-r));
	else if (status != 0)
		log_message(ctx, LB_LOG_WARNING, "%s, which was to tell of '%s', ended with status %d: %s", what,
			    alert->event, status, text_last_line(output));
}

/* ---- by a program ---- */

static int make_environment(const struct alert *alert, struct text_list *env)
{
	int r = environment_begin(env);

	if (r == 0)
		r = text_list_format(env, "LAYERBOX_EVENT=%s", alert->event);
	if (r == 0)
		r = text_list_format(env, "LAYERBOX_CONTAINER=%s", alert->container);
	if (r == 0)
		r = text_list_format(env, "LAYERBOX_MESSAGE=%s", alert->message);
	return r;
}

static void run_command(struct lb_context *ctx, const struct alert *alert)
{
	CLEANUP_TEXT_LIST struct text_list env = { 0 };
	CLEANUP_TEXT_LIST struct text_list argv = { 0 };
	CLEANUP_FREE char *output = NULL;
	struct spawn_options options = { .timeout_s = PATIENCE_S, .own_session = true };
	int status = 0, r;

	if (text_empty(alert->command) || text_equal(alert->command, "none"))
		return;
	r = text_list_add_words(&argv, alert->command);
	if (r == 0)
		r = make_environment(alert, &env);
	options.env = (const char *const *)env.items;
	if (r == 0)
		r = spawn_run((const char *const *)argv.items, &options, &status, &output);
	warn_about(ctx, alert, alert->command, r, status, output);
}

/* ---- by mail ---- */

static void send_mail(struct lb_context *ctx, const struct alert *alert)
{
	char host[HOST_NAME_MAX + 1] = "";
	CLEANUP_FREE char *subject = NULL;
	CLEANUP_FREE char *text = NULL;
	CLEANUP_FREE char *output = NULL;
	int status = 0, r;

	if (text_empty(alert->mail) || text_equal(alert->mail, "none"))
		return;
	gethostname(host, sizeof host - 1);
	subject = text_format("%s: %s%s%s", host, alert->container, *alert->container ? " " : "", alert->event);
	text = text_format("%s\n\nThis is layerbox on %s.\n", alert->message, host);
	r = subject && text ? mail_send(&(struct mail){ .to = alert->mail, .subject = subject, .text = text,
							.time = (int64_t)time(NULL) },
					PATIENCE_S, &status, &output)
			    : -ENOMEM;
	warn_about(ctx, alert, SENDMAIL, r, status, output);
}

/* ---- to whom ---- */

static char *choose(char **own, const char *of_host)
{
	return text_empty(*own) ? strdup(of_host) : TAKE_PTR(*own);
}

/* A container whose record cannot be read, or that is gone, is the host's business. */
static void choose_recipients(struct lb_context *ctx, struct alert *alert)
{
	CLEANUP_FD int containers_fd = *alert->container ? store_open_directory(ctx, STORE_CONTAINERS) : -1;
	struct record record = { 0 };

	if (containers_fd < 0 || record_read_by_name(ctx, containers_fd, alert->container, &record) != 0)
		record = (struct record){ 0 };
	alert->command = choose(&record.alert_command, ctx->config.alert_command);
	alert->mail = choose(&record.alert_mail, ctx->config.alert_mail);
	record_free(&record);
}

void alert(struct lb_context *ctx, const char *event, const char *container, const char *message)
{
	struct alert alert = { .event = event, .container = container, .message = message };
	char error[ERROR_MAX];

	text_copy(error, sizeof error, ctx->error);
	choose_recipients(ctx, &alert);
	run_command(ctx, &alert);
	send_mail(ctx, &alert);
	free(alert.command);
	free(alert.mail);
	text_copy(ctx->error, sizeof ctx->error, error);
}
