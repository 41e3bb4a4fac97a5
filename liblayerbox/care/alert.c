/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "alert.h"

#include "../util/spawn.h"

enum { PATIENCE_S = 60 };

/* The caller's environment, in which the three names are what they are here. */
static int make_environment(const char *event, const char *container, const char *message, struct text_list *env)
{
	int r = 0;

	for (char **item = environ; r == 0 && *item; item++)
		if (!text_after(*item, "LAYERBOX_"))
			r = text_list_add(env, *item);
	if (r == 0)
		r = text_list_format(env, "LAYERBOX_EVENT=%s", event);
	if (r == 0)
		r = text_list_format(env, "LAYERBOX_CONTAINER=%s", container);
	if (r == 0)
		r = text_list_format(env, "LAYERBOX_MESSAGE=%s", message);
	return r;
}

void alert(struct lb_context *ctx, const char *event, const char *container, const char *message)
{
	CLEANUP_TEXT_LIST struct text_list env = { 0 };
	CLEANUP_TEXT_LIST struct text_list argv = { 0 };
	CLEANUP_FREE char *output = NULL;
	struct spawn_options options = { .timeout_s = PATIENCE_S, .own_namespaces = true };
	int status = 0, r;

	if (!*ctx->config.alert_command)
		return;
	r = text_list_add_words(&argv, ctx->config.alert_command);
	if (r == 0)
		r = make_environment(event, container, message, &env);
	options.env = (const char *const *)env.items;
	if (r == 0)
		r = spawn_run((const char *const *)argv.items, &options, &status, &output);
	if (r < 0)
		log_message(ctx, LB_LOG_WARNING, "cannot run %s, which alert.command of %s names: %s", ctx->config.alert_command,
			    ctx->config_file, strerrordesc_np(-r));
	else if (status != 0)
		log_message(ctx, LB_LOG_WARNING, "%s, which alert.command of %s names, ended with status %d: %s",
			    ctx->config.alert_command, ctx->config_file, status, text_last_line(output));
}
