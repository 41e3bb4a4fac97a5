/* SPDX-License-Identifier: LGPL-2.1-or-later */
#include <fcntl.h>
#include <linux/fs.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include "../adapters/arp-probe.h"
#include "../adapters/rights.h"
#include "../core/lock.h"
#include "../core/store.h"
#include "../events/event.h"
#include "../network/guests.h"
#include "../network/host-names.h"
#include "../network/plan.h"
#include "../network/reservation.h"
#include "../snapshot/layer.h"
#include "../util/attributes.h"
#include "../util/file.h"
#include "../util/tree.h"
#include "console-log.h"
#include "container.h"
#include "id-range.h"
#include "layout.h"
#include "render.h"
#include "seed.h"
#include "settings.h"

enum {
	BRIDGE_PORTS_MAX = 1023,      /* net/bridge/br_private.h: BR_PORT_BITS, and port 0 is none */
	ADDRESS_ATTEMPTS = 16,
	ARP_ANSWER_MS = 3,            /* on a bridge, an answer takes less than one */
};

/* What is made before the container has its name; all of it goes when the name cannot be had. */
struct draft {
	struct lb_context *ctx;
	const char *name;
	char hidden[NAME_LENGTH_MAX + 16];      /* .new-NAME, until it is called NAME */
	int containers_fd, directory_fd;
	struct record record;
	const struct container_seed *seed;      /* what it begins with; NULL: nothing but what is rendered */
	struct network_plan network;
	int *fds;                               /* files that must be on disk before it has its name */
	size_t fd_count;
	bool finished;
};

/* Back to before make_directories(). */
static void draft_empty(struct draft *draft)
{
	if (!draft->finished && draft->directory_fd >= 0)
		tree_remove(draft->containers_fd, draft->hidden);
	for (size_t i = 0; i < draft->fd_count; i++)
		close_fd(draft->fds[i]);
	draft->fd_count = 0;
	close_fd(take_fd(&draft->directory_fd));
}

static void draft_close(struct draft *draft)
{
	draft_empty(draft);
	free(draft->fds);
	record_free(&draft->record);
	network_plan_free(&draft->network);
	close_fd(draft->containers_fd);
}

static int keep_fd(struct draft *draft, int fd)
{
	int *larger = reallocarray(draft->fds, draft->fd_count + 1, sizeof *larger);

	if (!larger) {
		close_fd(fd);
		return fail_memory(draft->ctx);
	}
	draft->fds = larger;
	draft->fds[draft->fd_count++] = fd;
	return 0;
}

static int add_file(struct draft *draft, const char *file, const char *text, mode_t mode)
{
	int fd, r = file_create(draft->directory_fd, file, text, strlen(text), mode, &fd);

	return r < 0 ? fail_errno(draft->ctx, r, "cannot write %s", file) : keep_fd(draft, fd);
}

/* The container's directories; the top layer's own mode and owner are those of / inside. */
static int make_directories(struct draft *draft, int base_fd)
{
	struct stat root;

	if (mkdirat(draft->containers_fd, draft->hidden, 0700) < 0)
		return fail_errno(draft->ctx, errno, "cannot make its directory");
	draft->directory_fd = openat(draft->containers_fd, draft->hidden, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (draft->directory_fd < 0 || flock(draft->directory_fd, LOCK_EX | LOCK_NB) < 0)
		return fail_errno(draft->ctx, errno, "cannot open its directory");
	if (fstat(base_fd, &root) < 0 || mkdirat(draft->directory_fd, LAYOUT_TOP, 0755) < 0 ||
	    mkdirat(draft->directory_fd, LAYOUT_WORK, 0700) < 0 ||
	    mkdirat(draft->directory_fd, LAYOUT_ROOTFS, 0755) < 0 ||
	    fchmodat(draft->directory_fd, LAYOUT_TOP, root.st_mode & 07777, 0) < 0)
		return fail_errno(draft->ctx, errno, "cannot make its directories");
	return 0;
}

/* The files that a top layer begins with. */
static int fill_top(struct draft *draft, int top_fd, int base_fd)
{
	const struct container_seed *seed = draft->seed;
	struct rootfs_values values;
	int r;

	if (seed && seed->layers.count)
		return seed->keep_identity
			       ? container_rerender(draft->ctx, top_fd, draft->name, &draft->record, &seed->origin)
			       : container_rerender_as_new(draft->ctx, top_fd, draft->name, &draft->record,
							   &seed->origin);
	r = render_rootfs_values(draft->ctx, draft->name, &draft->record, &draft->network, &values);
	return r < 0 ? r
		     : render_rootfs(draft->ctx, top_fd, base_fd, &values, draft->record.identity.is_static,
				     &draft->fds, &draft->fd_count);
}

/*
 * What overlayfs says of / is what the top layer has: so that has what the topmost layer below had. Last, since a time
 * would not stay, and a default ACL would come upon the files.
 */
static int dress_top(struct draft *draft, int top_fd)
{
	const struct chain *layers = &draft->record.layers;
	CLEANUP_FD int like_fd = -1;
	int r;

	if (!layers->count)
		return 0;
	like_fd = layer_open_tree(draft->ctx, layers->ids[0]);
	if (like_fd < 0)
		return like_fd;
	r = attributes_copy(like_fd, top_fd);
	return r < 0 ? fail_errno(draft->ctx, r, "cannot give / of container '%s' its attributes", draft->name) : 0;
}

/* A file at most one directory deep. */
static int add_seed_file(struct draft *draft, const struct seed_file *file)
{
	const char *slash = strchr(file->path, '/');
	CLEANUP_FREE char *directory = slash ? strndup(file->path, (size_t)(slash - file->path)) : NULL;
	int fd;

	if (!slash)
		return add_file(draft, file->path, file->text, 0600);
	if (!directory)
		return fail_memory(draft->ctx);
	if (mkdirat(draft->directory_fd, directory, 0700) < 0 && errno != EEXIST)
		return fail_errno(draft->ctx, errno, "cannot make %s", directory);
	fd = openat(draft->directory_fd, directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return fail_errno(draft->ctx, errno, "cannot open %s", directory);
	return keep_fd(draft, fd) < 0 ? -ENOMEM : add_file(draft, file->path, file->text, 0600);
}

/* Everything of the draft that has no part in what others choose from. */
static int fill(struct draft *draft, const struct lb_base *base, int base_fd)
{
	CLEANUP_FREE char *record = record_to_text(&draft->record);
	CLEANUP_FD int top_fd = openat(draft->directory_fd, LAYOUT_TOP, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int r;

	if (top_fd < 0)
		return fail_errno(draft->ctx, errno, "cannot open its top layer");
	if (!record)
		return fail_memory(draft->ctx);
	/* Not among the files that are synced: every start renders it again where it is not what it should be. */
	r = render_config_on(draft->ctx, draft->directory_fd, draft->name, &draft->record, base);
	if (r < 0)
		return r;
	r = add_file(draft, RECORD_FILE, record, 0600);
	for (size_t i = 0; r == 0 && draft->seed && i < draft->seed->file_count; i++)
		r = add_seed_file(draft, &draft->seed->files[i]);
	if (r == 0)
		r = fill_top(draft, top_fd, base_fd);
	return r == 0 && draft->seed ? dress_top(draft, top_fd) : r;
}

static bool is_on(const struct lb_context *ctx, const struct network_plan *network,
		  const struct network_identity *other)
{
	return text_equal(network_name(ctx, other->network), network->bridge);
}

static int bridge_is_full(struct lb_context *ctx, const struct network_plan *network)
{
	return fail(ctx, -LB_ERR_EXHAUSTED,
		    "network %s has %d containers, as many as a Linux bridge has ports; make another with `layerbox "
		    "net "
		    "create NAME --subnet 10.x.0.0/16` and create containers with --network NAME",
		    network->bridge, BRIDGE_PORTS_MAX);
}

/* Is the address that it had elsewhere nobody's here, and one that containers on this network can have? */
static bool can_keep(const struct draft *draft, const struct network_identity *taken, size_t count)
{
	const struct network_identity *wanted;
	const struct subnet *subnet = &draft->network.subnet;
	uint32_t address;

	if (!draft->seed || !draft->seed->keep_identity)
		return false;
	wanted = &draft->seed->like->identity;
	if (!ipv4_parse(wanted->ipv4, &address) || (address & subnet_netmask(subnet)) != subnet->network ||
	    !subnet_pool_has(subnet, address))
		return false;
	for (size_t i = 0; i < count; i++)
		if (text_equal(taken[i].mac, wanted->mac) || text_equal(taken[i].ipv4, wanted->ipv4))
			return false;
	return true;
}

static int choose_identity(struct draft *draft, const struct network_identity *taken, size_t count)
{
	struct network_identity *identity = &draft->record.identity;

	if (!can_keep(draft, taken, count))
		return address_choose(draft->ctx, &draft->network, taken, count, identity);
	memcpy(identity->mac, draft->seed->like->identity.mac, sizeof identity->mac);
	memcpy(identity->ipv4, draft->seed->like->identity.ipv4, sizeof identity->ipv4);
	return 0;
}

/* What others choose from as well: the caller holds the root's lock until the container has its name. */
static int choose(struct draft *draft)
{
	struct record_identity *others = NULL;
	struct network_identity *taken;
	uint32_t highest = 0;
	size_t count = 0, neighbours = 0;
	int r = record_list_identities(draft->ctx, true, &others, &count);

	if (r < 0)
		return r;
	taken = calloc(count + 1, sizeof *taken);
	for (size_t i = 0; taken && i < count; i++) {
		taken[i] = others[i].identity;
		highest = others[i].id_end > highest ? others[i].id_end : highest;
		neighbours += is_on(draft->ctx, &draft->network, &others[i].identity);
	}
	free(others);
	if (!taken)
		return fail_memory(draft->ctx);
	if (neighbours >= BRIDGE_PORTS_MAX)
		r = bridge_is_full(draft->ctx, &draft->network);
	else
		r = choose_identity(draft, taken, count);
	free(taken);
	if (r < 0 || draft->record.privileged)
		return r;
	draft->record.id_count = ID_RANGE_COUNT;
	return id_range_allocate(draft->ctx, draft->name, highest, &draft->record.id_start);
}

static int name_is_taken(struct lb_context *ctx, const char *name)
{
	return fail(ctx, -LB_ERR_EXISTS, "there is a container '%s' already", name);
}

/* Gives the draft its name, in one step, when everything of it is on disk. */
static int publish(struct draft *draft)
{
	struct lb_context *ctx = draft->ctx;
	int r;

	if (renameat2(draft->containers_fd, draft->hidden, draft->containers_fd, draft->name, RENAME_NOREPLACE) < 0)
		return errno == EEXIST ? name_is_taken(ctx, draft->name)
				       : fail_errno(ctx, errno, "cannot give it its name");
	text_copy(draft->hidden, sizeof draft->hidden, draft->name);
	if (fsync(draft->containers_fd) < 0)
		return fail_errno(ctx, errno, "cannot write it to disk");
	r = guests_admit(ctx, &draft->network, draft->name, &draft->record);
	if (r < 0)
		return r;
	/*
	 * Last, and first to go in delete: so there is never a reservation without its container, whose address could
	 * be given to another. One that is missing is written at the next start.
	 */
	r = reservation_write_planned(ctx, &draft->network, draft->name, &draft->record.identity);
	draft->finished = r == 0;
	return r;
}

/* Has it the address that it had elsewhere? Then who answers may be itself, not yet gone there. */
static bool is_kept(const struct draft *draft)
{
	return draft->seed && draft->seed->keep_identity &&
	       text_equal(draft->record.identity.ipv4, draft->seed->like->identity.ipv4);
}

/*
 * Everything of the draft, on disk. -EAGAIN where somebody uses the address that was chosen: they are asked at the
 * beginning, and have had the time that writing takes for their answer.
 */
static int write_draft(struct draft *draft, const struct lb_base *base, int base_fd)
{
	CLEANUP_ARP_PROBE struct arp_probe probe = ARP_PROBE_NONE;
	int r = choose(draft);

	if (r < 0)
		return r;
	arp_probe_begin(draft->network.bridge, draft->record.identity.ipv4, &probe);
	r = make_directories(draft, base_fd);
	if (r == 0)
		r = fill(draft, base, base_fd);
	if (r < 0)
		return r;
	r = files_sync(draft->fds, draft->fd_count);
	if (r < 0)
		return fail_errno(draft->ctx, r, "cannot write it to disk");
	if (!arp_probe_answered(&probe, ARP_ANSWER_MS, NULL) || is_kept(draft))
		return 0;
	log_message(draft->ctx, LB_LOG_WARNING, "somebody on %s uses %s, which is no container's; it is passed over",
		    draft->network.bridge, draft->record.identity.ipv4);
	r = address_rest(draft->ctx, &draft->network, draft->record.identity.ipv4);
	return r < 0 ? r : -EAGAIN;
}

static int create_locked(struct draft *draft, const struct lb_base *base)
{
	CLEANUP_FD int base_fd = open(base->directory, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r;

	if (base_fd < 0)
		return fail_errno(draft->ctx, errno, "cannot open base %s", base->directory);
	draft->containers_fd = store_open_directory(draft->ctx, STORE_CONTAINERS);
	if (draft->containers_fd < 0)
		return draft->containers_fd;
	if (faccessat(draft->containers_fd, draft->name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
		return name_is_taken(draft->ctx, draft->name);
	store_sweep(draft->ctx, draft->containers_fd, "container");
	/* Nobody shall read there what another container of that name has printed. */
	console_log_remove(draft->ctx, draft->name);
	for (int attempt = 0; attempt < ADDRESS_ATTEMPTS; attempt++) {
		r = write_draft(draft, base, base_fd);
		if (r != -EAGAIN)
			return r < 0 ? r : publish(draft);
		draft_empty(draft);
	}
	return fail(draft->ctx, -LB_ERR_NETWORK,
		    "%d addresses of network %s in a row are used by others, as their answers to ARP say; `ip "
		    "neighbour show "
		    "dev %s` shows by whom",
		    ADDRESS_ATTEMPTS, draft->network.bridge, draft->network.bridge);
}

/* Makes the draft a container; the caller has filled what it decides, and has the root's lock until this returns. */
static int create_draft(struct draft *draft, const struct lb_base *base, struct lb_container **ret_container)
{
	struct lb_context *ctx = draft->ctx;
	int r;

	strcpy(draft->record.base, base->name);
	draft->record.generation = base->generation;
	draft->record.created = time(NULL);
	/* Nobody would answer a container that asked. */
	draft->record.identity.is_static = draft->record.identity.is_static || !draft->network.settings.dhcp;
	snprintf(draft->hidden, sizeof draft->hidden, STORE_NEW_PREFIX "%s", draft->name);
	r = create_locked(draft, base);
	if (r < 0 && r != -LB_ERR_EXISTS && r != -LB_ERR_EXHAUSTED)
		fail_wrap(ctx, r, "cannot create container '%s'", draft->name);
	if (r == 0 && ret_container)
		r = container_make(ctx, draft->name, &draft->record, ret_container);
	return r;
}

static int check_new(struct lb_context *ctx, const char *name, bool privileged)
{
	int r = name_check(ctx, "container", name);

	if (r == 0)
		r = rights_require_root(ctx);
	return r < 0 ? r : rights_require_kernel(ctx, !privileged);
}

static int create_container(struct lb_context *ctx, const char *name, const struct lb_create_options *options,
			    struct lb_container **ret_container)
{
	const char *base_name = options && options->base ? options->base : ctx->config.base;
	const char *description = options && options->description ? options->description : "";
	const char *why;
	struct draft draft = { .ctx = ctx, .name = name, .containers_fd = -1, .directory_fd = -1 };
	struct lb_base *base = NULL;
	CLEANUP_FD int lock_fd = -1;
	int r = CHECK_INPUT(ctx, options, lb_create_options);

	if (r == 0)
		r = check_new(ctx, name, options && options->privileged);
	if (r < 0)
		return r;
	lock_fd = lock_root(ctx);
	if (lock_fd < 0)
		return lock_fd;
	r = network_plan_make(ctx, options ? options->network : NULL, &draft.network);
	if (r == 0)
		r = base_open(ctx, base_name, &base);
	if (r == 0) {
		draft.record = (struct record){
			.privileged = options && options->privileged,
			.identity.is_static = options && options->is_static,
			.autostart = true,
			.description = strdup(""),
		};
		if (!draft.record.description)
			r = fail_memory(ctx);
		else if ((why = setting_set(settings_find("description"), &draft.record, description)))
			r = fail(ctx, -LB_ERR_BAD_VALUE, "the description %s", why);
	}
	if (r == 0)
		r = create_draft(&draft, base, ret_container);
	draft_close(&draft);
	lb_base_free(base);
	if (r < 0)
		return r;
	close_fd(take_fd(&lock_fd)); /* the next may be created while this one gets its name on the host */
	host_names_follow(ctx);
	return 0;
}

int lb_container_create(struct lb_context *ctx, const char *name, const struct lb_create_options *options,
			struct lb_container **ret_container)
{
	const int r = create_container(ctx, name, options, ret_container);

	return event_of(ctx, "create", name, r, options && options->base ? options->base : ctx->config.base);
}

/* ---- from files that are there ---- */

static int copy_settings(struct lb_context *ctx, const struct record *like, struct record *record)
{
	const char *name;

	for (size_t i = 0; (name = settings_name(like, i)); i++) {
		CLEANUP_FREE char *value = settings_get(like, name);
		const char *why = value && *value ? settings_set(record, name, value) : NULL;

		if (!value)
			return fail_memory(ctx);
		if (why)
			return fail(ctx, -LB_ERR_BAD_VALUE, "%s %s", name, why);
	}
	return 0;
}

/* The network it was on, or the default one. */
static int plan_network(struct draft *draft, const struct record *like)
{
	int r = network_plan_make(draft->ctx, like->identity.network, &draft->network);

	if (r != -LB_ERR_NO_NETWORK)
		return r;
	log_message(draft->ctx, LB_LOG_WARNING, "there is no network %s here: container '%s' comes to the default one",
		    like->identity.network, draft->name);
	return network_plan_make(draft->ctx, NULL, &draft->network);
}

static int create_from(struct draft *draft, const struct container_seed *seed, struct lb_container **ret_container)
{
	struct lb_context *ctx = draft->ctx;
	struct lb_base *base = NULL;
	int r = plan_network(draft, seed->like);

	if (r == 0) {
		draft->record = (struct record){
			.privileged = seed->like->privileged,
			.identity.is_static = seed->like->identity.is_static,
			.layers = seed->layers,
			.description = strdup(""),
		};
		r = draft->record.description ? copy_settings(ctx, seed->like, &draft->record) : fail_memory(ctx);
	}
	if (r == 0)
		r = record_open_base(ctx, seed->like, &base);
	if (r == 0)
		r = create_draft(draft, base, ret_container);
	lb_base_free(base);
	return r;
}

int container_create_from(struct lb_context *ctx, const char *name, const struct container_seed *seed,
			  struct lb_container **ret_container)
{
	struct draft draft = { .ctx = ctx, .name = name, .seed = seed, .containers_fd = -1, .directory_fd = -1 };
	CLEANUP_FD int lock_fd = -1;
	int r = check_new(ctx, name, seed->like->privileged);

	if (r < 0)
		return r;
	lock_fd = lock_root(ctx);
	r = lock_fd < 0 ? lock_fd : create_from(&draft, seed, ret_container);
	draft_close(&draft);
	if (r < 0)
		return r;
	close_fd(take_fd(&lock_fd));
	host_names_follow(ctx);
	return 0;
}
