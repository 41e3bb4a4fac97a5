/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* What lies in ROOT/containers/NAME. */
#pragma once

#define LAYOUT_CONFIG "config"                  /* LXC's configuration, rendered */
#define LAYOUT_LOCAL_CONFIG "config.local"      /* the operator's own LXC lines, included where it is there */
#define LAYOUT_TOP "rootfs-layer"               /* overlayfs upper */
#define LAYOUT_WORK "work"                      /* overlayfs work directory */
#define LAYOUT_ROOTFS "rootfs"                  /* mount point, also a generation's tree in ROOT/os-bases */
#define LAYOUT_REBASE "rebase"                  /* a rebase under way, or that can be undone */
#define LAYOUT_LOG "lxc.log"                    /* LXC's errors */
#define LAYOUT_BACKUP_OUTCOME "backup-outcome"  /* how the last backup went */
#define LAYOUT_STOPPED "stopped"                /* somebody stopped it, and the supervisor leaves it alone */
