/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Compares what should be, by the files, with what is, and repairs what cannot do harm. */
#include <fcntl.h>
#include <net/if.h>
#include <stdio.h>
#include <sys/stat.h>

#include "../adapters/apparmor.h"
#include "../adapters/mounts.h"
#include "../adapters/rights.h"
#include "../base/base.h"
#include "../boot/after.h"
#include "../container/bind-mount.h"
#include "../container/cgroup-sweep.h"
#include "../container/container.h"
#include "../container/layout.h"
#include "../container/next.h"
#include "../container/readdress.h"
#include "../container/rename.h"
#include "../container/render.h"
#include "../container/uplink.h"
#include "../core/lock.h"
#include "../core/store.h"
#include "../network/network.h"
#include "../rebase/apply.h"
#include "../snapshot/layer.h"
#include "../snapshot/references.h"
#include "../util/spawn.h"
#include "examination.h"

/* ------------------------------------------------------------------------------------- the host */

static void examine_programs(struct examination *examination)
{
	static const struct {
		const char *program, *why, *package;
	} needed[] = {
		{ "newuidmap", "LXC cannot start unprivileged containers without it", "apt install uidmap" },
		{ "dnsmasq", "containers get no address without it", "apt install dnsmasq-base" },
		{ "nft", "containers have no NAT without it", "apt install nftables" },
	};

	for (size_t i = 0; i < sizeof needed / sizeof *needed; i++) {
		CLEANUP_FREE char *path = NULL;
		char problem[160];

		if (spawn_find(needed[i].program, &path))
			continue;
		snprintf(problem, sizeof problem, "the program %s is not installed: %s", needed[i].program,
			 needed[i].why);
		found(examination->findings, false, "host", problem, needed[i].package);
	}
}

static void examine_kernel(struct examination *examination)
{
	if (rights_require_kernel(examination->ctx, true) < 0)
		found(examination->findings, false, "kernel", examination->ctx->error, "boot a newer kernel");
}

static void examine_apparmor(struct examination *examination)
{
	if (apparmor_get_state() == APPARMOR_WITHOUT_PROFILES)
		found(examination->findings, false, "AppArmor",
		      "it is on, but LXC's profiles are not loaded: containers run unconfined by it",
		      "apt install apparmor, then systemctl restart lxc.service");
}

/* Mounts below the root in the host's own namespace: there should be none, ever. */
static void examine_mounts(struct examination *examination)
{
	CLEANUP_FREE char *prefix = store_path(examination->ctx, STORE_CONTAINERS "/");
	CLEANUP_TEXT_LIST struct text_list targets = { 0 };

	if (!prefix || mounts_below(examination->ctx, prefix, &targets) < 0)
		return;
	for (size_t i = 0; i < targets.count; i++)
		found(examination->findings, false, targets.items[i],
		      "is mounted in the host's own mount namespace, where nothing of a container belongs",
		      "unmount it with umount(8) when nothing uses it");
}

static void examine_locks(struct examination *examination)
{
	int r = store_close_locks(examination->ctx, examination->findings->repair);

	if (r)
		found_and_repaired(examination->findings, r, "root",
				   "any local user can read it, or " STORE_NETWORK
				   " in it, and so hold a lock that all commands need",
				   "made both 0711", "make both 0711");
}

static void examine_cgroups(struct examination *examination)
{
	int removed = examination->findings->repair ? sweep_cgroups(examination->ctx) : 0;

	if (removed > 0)
		found(examination->findings, true, "cgroups", "a killed monitor had left empty cgroups",
		      "removed them");
}

/* -------------------------------------------------------------------------------- the containers */

/* The directory itself: 0700, since the layers in it hold real setuid files. */
static void examine_directory(struct examination *examination, const char *subject, int fd)
{
	struct stat st;
	bool repaired;

	if (fstat(fd, &st) < 0 || (st.st_uid == 0 && (st.st_mode & 07777) == 0700))
		return;
	repaired = examination->findings->repair && fchown(fd, 0, 0) == 0 && fchmod(fd, 0700) == 0;
	found(examination->findings, repaired, subject,
	      "its directory was open to others, who could run its setuid files as root",
	      repaired ? "made it 0700, of root" : "make it 0700, of root");
}

static void examine_parts(struct examination *examination, const char *subject, int fd)
{
	static const struct {
		const char *name;
		mode_t mode;
		bool can_be_made;
	} parts[] = { { LAYOUT_TOP, 0755, false }, { LAYOUT_WORK, 0700, true }, { LAYOUT_ROOTFS, 0755, true } };

	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++) {
		char problem[128];
		bool repaired;

		if (faccessat(fd, parts[i].name, F_OK, AT_SYMLINK_NOFOLLOW) == 0)
			continue;
		repaired =
			examination->findings->repair && parts[i].can_be_made &&
			mkdirat(fd, parts[i].name, parts[i].mode) == 0;
		snprintf(problem, sizeof problem, "its directory %s is missing", parts[i].name);
		found(examination->findings, repaired, subject, problem,
		      repaired		   ? "made it" :
		      parts[i].can_be_made ? "run `layerbox doctor` without --dry-run" :
					     "this was all the customer's data: restore it from a backup");
	}
}

static void examine_config(struct examination *examination, const char *subject, const char *name, int fd,
			   const struct record *record)
{
	struct lb_context *ctx = examination->ctx;
	struct lb_base *base = NULL;
	int r;

	r = examination->findings->repair ? render_config(ctx, fd, name, record) : record_open_base(ctx, record, &base);
	if (r == 0 && examination->findings->repair)
		found(examination->findings, true, subject, "its LXC configuration was not what its record says",
		      "rendered it again");
	if (r < 0)
		found(examination->findings, false, subject, ctx->error, "put right what the sentence names");
	lb_base_free(base);
}

/* What was begun by a command that was killed, as the record says (@is_begun), and @finish can bring to its end. */
static void examine_unfinished(struct examination *examination, const char *subject, const char *name, int fd,
			       struct record *record, bool is_begun, const char *problem,
			       int (*finish)(struct lb_context *ctx, const char *name, int fd, struct record *record))
{
	bool repaired;

	if (!is_begun)
		return;
	repaired = examination->findings->repair && container_is_stopped(examination->ctx, name) > 0 &&
		   finish(examination->ctx, name, fd, record) == 0;
	found(examination->findings, repaired, subject, problem,
	      repaired ? "put it right" : "run `layerbox doctor` without --dry-run while it is stopped");
}

/* What a container has had set since it was started is lost when it reboots from inside. */
static void examine_uplink(struct examination *examination, const char *subject, const char *name,
			   const struct record *record)
{
	struct lb_context *ctx = examination->ctx;
	char port[PORT_NAME_SIZE];
	bool repaired;
	int r;

	uplink_name(ctx, record, port);
	if (container_is_stopped(ctx, name) != 0 || !if_nametoindex(port))
		return;
	r = uplink_is_right(ctx, port, record);
	if (r > 0)
		return;
	repaired = r == 0 && examination->findings->repair && uplink_apply(ctx, port, record) == 0;
	found(examination->findings, repaired, subject,
	      r < 0 ? ctx->error :
		      "its isolation or net.ingress is not in force: it has rebooted from inside since it was set",
	      repaired ? "set it again" : "run `layerbox doctor` without --dry-run, or restart it");
}

/* Is what it sees of the host's files there, and still as safe as it was? */
static void examine_binds(struct examination *examination, const char *subject, const struct record *record)
{
	for (size_t i = 0; i < record->binds.count; i++) {
		CLEANUP_FD int fd = -1;

		if (bind_open_source(examination->ctx, &record->binds.items[i], &fd) < 0)
			found(examination->findings, false, subject, examination->ctx->error,
			      "put that right, or take the setting away: it does not start like this");
	}
}

/* Are the layers and bases there that the container and its snapshots stand on? */
static void examine_layers(struct examination *examination, const char *subject, int fd, const char *name)
{
	CLEANUP_REFERENCES struct references references = { 0 };
	struct lb_context *ctx = examination->ctx;

	if (references_collect_of(ctx, fd, name, &references) < 0) {
		found(examination->findings, false, subject, ctx->error,
		      "put the file right by hand, or restore it from a backup");
		return;
	}
	for (size_t i = 0; i < references.count; i++) {
		const struct reference *reference = &references.items[i];
		CLEANUP_CHAIN_TREES struct chain_trees trees = { 0 };

		/* An unfinished change is a finding of its own; and a rebase says itself what it lacks. */
		if (!reference->next && !reference->rebase &&
		    chain_open_trees(ctx, &reference->chain, reference->base, reference->generation, -1, &trees) < 0)
			found(examination->findings, false, subject, ctx->error,
			      *reference->label ? "delete the snapshot that stands on it, or bring it back from a backup"
						: "restore a snapshot or a backup of it");
	}
}

static void examine_container(struct examination *examination, const char *name)
{
	struct lb_context *ctx = examination->ctx;
	CLEANUP_FREE char *subject = text_format("container %s", name);
	CLEANUP_FD int fd = examination->findings->repair ? container_lock(ctx, name) : lock_container(ctx, name);
	struct record record = { 0 };

	if (fd == -LB_ERR_NO_CONTAINER || !subject)
		return;
	if (fd < 0) {
		examination->is_renaming = true;
		found(examination->findings, false, subject, ctx->error, "try again later");
		return;
	}
	examine_directory(examination, subject, fd);
	examine_parts(examination, subject, fd);
	if (record_read(ctx, fd, name, &record) < 0) {
		found(examination->findings, false, subject, ctx->error,
		      "put the file right by hand, or restore it from a backup");
		return;
	}
	if (next_is_committed(fd))
		found(examination->findings, false, subject, "a change of its files was begun and not finished",
		      "run `layerbox doctor` without --dry-run, or start it");
	examine_layers(examination, subject, fd, name);
	note_watched(examination, name, &record);
	examine_unfinished(examination, subject, name, fd, &record, *record.renamed_from,
			   "a rename of it was begun and not finished", rename_finish);
	examination->is_renaming = examination->is_renaming || *record.renamed_from;
	examine_unfinished(examination, subject, name, fd, &record, *record.ipv4_before,
			   "a change of its address was begun and not finished", readdress_finish);
	examine_unfinished(examination, subject, name, fd, &record, rebase_is_interrupted(ctx, name, fd, &record),
			   "a rebase of it was interrupted", rebase_recover);
	examine_config(examination, subject, name, fd, &record);
	examine_uplink(examination, subject, name, &record);
	examine_binds(examination, subject, &record);
	record_free(&record);
}

/* Nobody is waited for then, which is seldom what was meant. Looked at last: renames have been finished by then. */
static void examine_order(struct examination *examination)
{
	CLEANUP_TEXT_LIST struct text_list problems = { 0 };

	if (after_find_unknown(examination->ctx, &problems) < 0)
		return;
	for (size_t i = 0; i + 1 < problems.count; i += 2)
		found(examination->findings, false, problems.items[i], problems.items[i + 1],
		      "set boot.after anew with `layerbox set`");
}

int lb_doctor(struct lb_context *ctx, bool repair, lb_finding_fn fn, void *userdata)
{
	struct findings findings = { .ctx = ctx, .repair = repair, .fn = fn, .userdata = userdata };
	struct examination examination = { .ctx = ctx, .findings = &findings };
	CLEANUP_TEXT_LIST struct text_list names = { 0 };
	int r = rights_require_root(ctx);

	if (r == 0)
		r = store_open(ctx);
	if (r == 0)
		r = record_list_names(ctx, &names);
	if (r == 0 && repair)
		r = lb_sweep(ctx);
	if (r < 0)
		return r;
	examine_kernel(&examination);
	examine_programs(&examination);
	examine_apparmor(&examination);
	examine_mounts(&examination);
	examine_locks(&examination);
	examine_cgroups(&examination);
	examine_limits(&examination, names.count);
	for (size_t i = 0; i < names.count; i++)
		examine_container(&examination, names.items[i]);
	examine_order(&examination);
	examine_supervisor(&examination);
	examine_logs(&examination);
	r = network_doctor(&findings);
	return r < 0 ? r : findings.remaining;
}
