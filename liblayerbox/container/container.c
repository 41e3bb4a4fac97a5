/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include "container.h"

#include <fcntl.h>

#include "../adapters/process.h"
#include "../core/lock.h"
#include "../core/store.h"
#include "../health/check.h"
#include "../network/settings.h"
#include "../util/clock.h"

enum { ENDING_MS = 10000 };

const char *lb_state_name(enum lb_state state)
{
	static const char *const names[] = { "stopped", "starting", "running", "stopping", "frozen", "aborting" };

	return (unsigned)state < sizeof names / sizeof *names ? names[state] : "unknown";
}

static int no_answer(struct lb_context *ctx, const char *name, int r)
{
	if (r == -EAGAIN || r == -EPERM)
		return fail(ctx, r == -EAGAIN ? -LB_ERR_TIMEOUT : -LB_ERR_RUNTIME, "container '%s': %s", name,
			    lxc_command_failure(r));
	return fail_errno(ctx, r, "cannot ask the LXC monitor of container '%s'", name);
}

int container_ask(struct lb_container *container)
{
	CLEANUP_FREE char *lxcpath = store_path(container->ctx, STORE_CONTAINERS);
	int r;

	if (!lxcpath)
		return fail_memory(container->ctx);
	container->listed = NULL;
	r = lxc_command_query(lxcpath, container->name, &container->live);
	return r < 0 ? no_answer(container->ctx, container->name, r) : 0;
}

int container_is_stopped(struct lb_context *ctx, const char *name)
{
	CLEANUP_FREE char *lxcpath = store_path(ctx, STORE_CONTAINERS);
	struct lxc_answer answer;
	int r = lxcpath ? lxc_command_query(lxcpath, name, &answer) : -ENOMEM;

	if (r < 0)
		return no_answer(ctx, name, r);
	return answer.state == LB_STATE_STOPPED;
}

static bool is_ending(const struct lxc_answer *answer)
{
	return answer->state == LB_STATE_STOPPING || answer->state == LB_STATE_ABORTING ||
	       (answer->pid && process_is_ending(answer->pid));
}

int container_is_down(struct lb_context *ctx, const char *name)
{
	const struct timespec pause = { .tv_nsec = 2000000 };
	CLEANUP_FREE char *lxcpath = store_path(ctx, STORE_CONTAINERS);
	int64_t end_ms = clock_ms() + ENDING_MS;
	struct lxc_answer answer;
	bool ending;
	int r;

	if (!lxcpath)
		return fail_memory(ctx);
	/* Once its init is gone, the monitor tidies up and answers nobody: that is no reason to give up. */
	for (;;) {
		r = lxc_command_query(lxcpath, name, &answer);
		ending = r == 0 && is_ending(&answer);
		if ((!ending && r != -EAGAIN) || clock_ms() >= end_ms)
			break;
		nanosleep(&pause, NULL);
	}
	if (ending)
		return fail(ctx, -LB_ERR_TIMEOUT,
			    "container '%s' has been ending for %d s; it can be started when that is done; a hook in "
			    "its config.local may hang",
			    name, ENDING_MS / 1000);
	if (r < 0)
		return no_answer(ctx, name, r);
	return answer.state == LB_STATE_STOPPED;
}

int container_require_stopped(struct lb_context *ctx, const char *name, const char *what_for)
{
	int stopped = container_is_stopped(ctx, name);

	if (stopped < 0)
		return stopped;
	if (!stopped)
		return fail(ctx, -LB_ERR_RUNNING, "container '%s' is running; %s", name, what_for);
	return 0;
}

static void note_address(struct lb_container *container, const struct lease_table *leases)
{
	const char *leased = lease_table_find(leases, container->record.identity.mac);

	text_copy(container->ipv4, sizeof container->ipv4, leased ? leased : container->record.identity.ipv4);
}

int container_make(struct lb_context *ctx, const char *name, struct record *record,
		   struct lb_container **ret_container)
{
	struct lb_container *container = calloc(1, sizeof *container);
	CLEANUP_FREE char *directory = store_path(ctx, STORE_CONTAINERS "/%s", name);

	if (!container || !directory) {
		free(container);
		return fail_memory(ctx);
	}
	container->ctx = ctx;
	container->directory = TAKE_PTR(directory);
	container->record = *record;
	*record = (struct record){ 0 };
	text_copy(container->name, sizeof container->name, name);
	text_copy(container->ipv4, sizeof container->ipv4, container->record.identity.ipv4);
	*ret_container = container;
	return 0;
}

/* Makes a handle from what is on disk. */
static int open_one(struct lb_context *ctx, int containers_fd, const char *name, const struct lease_table *leases,
		    struct lb_container **ret_container)
{
	CLEANUP_FD int fd = openat(containers_fd, name, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct record record;
	int r = record_read(ctx, fd, name, &record);

	if (r < 0)
		return r;
	r = container_make(ctx, name, &record, ret_container);
	record_free(&record);
	if (r == 0)
		note_address(*ret_container, leases);
	return r;
}

int container_find(struct lb_context *ctx, const char *name, struct lb_container **ret_container)
{
	CLEANUP(lease_table_free) struct lease_table leases = { 0 };
	CLEANUP_FD int containers_fd = -1;
	int r = name_check(ctx, "container", name);

	if (r < 0)
		return r;
	containers_fd = store_open_directory(ctx, STORE_CONTAINERS);
	if (containers_fd < 0)
		return containers_fd;
	r = lease_table_load(ctx, &leases);
	return r < 0 ? r : open_one(ctx, containers_fd, name, &leases, ret_container);
}

int lb_container_open(struct lb_context *ctx, const char *name, struct lb_container **ret_container)
{
	struct lb_container *container;
	int r = container_find(ctx, name, &container);

	if (r < 0)
		return r;
	r = container_ask(container);
	if (r < 0) {
		lb_container_free(container);
		return r;
	}
	*ret_container = container;
	return 0;
}

void lb_container_free(struct lb_container *container)
{
	if (!container)
		return;
	record_free(&container->record);
	free(container->directory);
	free(container);
}

void container_cleanup(struct lb_container **container)
{
	lb_container_free(*container);
}

/* Their inits are asked for by who wants to know them: most who list do not. */
static int ask_all(struct lb_context *ctx, struct lb_container **containers, size_t count)
{
	CLEANUP_FREE char *lxcpath = store_path(ctx, STORE_CONTAINERS);
	CLEANUP_FREE struct lxc_question *questions = calloc(count + 1, sizeof *questions);

	if (!lxcpath || !questions)
		return fail_memory(ctx);
	for (size_t i = 0; i < count; i++)
		questions[i].name = containers[i]->name;
	lxc_command_query_all(lxcpath, questions, count, LXC_ASK_STATE);
	for (size_t i = 0; i < count; i++) {
		containers[i]->live = questions[i].answer;
		containers[i]->listed = containers;
		if (questions[i].result < 0) {
			no_answer(ctx, containers[i]->name, questions[i].result);
			log_message(ctx, LB_LOG_WARNING, "%s", ctx->error);
		}
	}
	return 0;
}

int lb_container_list(struct lb_context *ctx, struct lb_container ***ret_containers, size_t *ret_count)
{
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	CLEANUP(lease_table_free) struct lease_table leases = { 0 };
	CLEANUP_FD int containers_fd = record_open_all(ctx, &names);
	struct lb_container **containers;
	size_t count = 0;
	int r = containers_fd < 0 ? containers_fd : lease_table_load(ctx, &leases);

	if (r < 0)
		return r;
	containers = calloc(names.count + 1, sizeof *containers);
	if (!containers)
		return fail_memory(ctx);
	for (size_t i = 0; i < names.count; i++) {
		r = open_one(ctx, containers_fd, names.items[i], &leases, &containers[count]);
		if (r == 0)
			count++;
		else if (r != -LB_ERR_NO_CONTAINER)
			log_message(ctx, LB_LOG_WARNING, "%s", ctx->error);
	}
	r = ask_all(ctx, containers, count);
	if (r < 0) {
		lb_container_list_free(containers);
		return r;
	}
	health_note(containers_fd, containers, count);
	*ret_containers = containers;
	if (ret_count)
		*ret_count = count;
	return 0;
}

void lb_container_list_free(struct lb_container **containers)
{
	for (size_t i = 0; containers && containers[i]; i++)
		lb_container_free(containers[i]);
	free(containers);
}

int lb_container_refresh(struct lb_container *container)
{
	CLEANUP(lease_table_free) struct lease_table leases = { 0 };
	int r = lease_table_load(container->ctx, &leases);

	if (r < 0)
		return r;
	note_address(container, &leases);
	container->health = NULL;
	return container_ask(container);
}

const char *lb_container_get_name(const struct lb_container *container)
{
	return container->name;
}

const char *lb_container_get_base(const struct lb_container *container)
{
	return container->record.base;
}

unsigned lb_container_get_generation(const struct lb_container *container)
{
	return container->record.generation;
}

const char *lb_container_get_rebased_from(const struct lb_container *container)
{
	return container->record.rebased_from;
}

const char *lb_container_get_rebase_to(const struct lb_container *container)
{
	return container->record.rebase_to;
}

enum lb_state lb_container_get_state(const struct lb_container *container)
{
	return container->live.state;
}

/* Of all that were listed together and run. What its monitor does not say by now stays 0. */
static void ask_inits(struct lb_container **containers)
{
	CLEANUP_FREE char *lxcpath = store_path(containers[0]->ctx, STORE_CONTAINERS);
	CLEANUP_FREE struct lxc_question *questions = NULL;
	size_t count = 0, asked = 0;

	while (containers[count])
		count++;
	questions = calloc(count + 1, sizeof *questions);
	if (!lxcpath || !questions)
		return;
	for (size_t i = 0; i < count; i++)
		if (containers[i]->listed && containers[i]->live.state != LB_STATE_STOPPED)
			questions[asked++].name = containers[i]->name;
	lxc_command_query_all(lxcpath, questions, asked, LXC_ASK_PID);
	for (size_t i = 0, answer = 0; i < count; i++) {
		if (containers[i]->listed && containers[i]->live.state != LB_STATE_STOPPED)
			containers[i]->live.pid = questions[answer++].answer.pid;
		containers[i]->listed = NULL;
	}
}

pid_t lb_container_get_pid(struct lb_container *container)
{
	if (container->listed)
		ask_inits(container->listed);
	return container->live.pid;
}

const char *lb_container_get_ipv4(const struct lb_container *container)
{
	return container->ipv4;
}

const char *lb_container_get_network(const struct lb_container *container)
{
	return network_name(container->ctx, container->record.identity.network);
}

const char *lb_container_get_mac(const struct lb_container *container)
{
	return container->record.identity.mac;
}

const char *lb_container_get_description(const struct lb_container *container)
{
	return container->record.description;
}

bool lb_container_get_privileged(const struct lb_container *container)
{
	return container->record.privileged;
}

bool lb_container_get_autostart(const struct lb_container *container)
{
	return container->record.autostart;
}

void lb_container_get_id_range(const struct lb_container *container, uint32_t *ret_start, uint32_t *ret_count)
{
	*ret_start = container->record.id_start;
	*ret_count = container->record.id_count;
}

int64_t lb_container_get_created(const struct lb_container *container)
{
	return container->record.created;
}

const char *lb_container_get_directory(const struct lb_container *container)
{
	return container->directory;
}
