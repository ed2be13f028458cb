#include <math.h>
#include <stdio.h>
struct body { double x, y, z, vx, vy, vz, mass; };
#define SOLAR 39.47841760435743
#define DAYS 365.24
#define BODY(x, y, z, vx, vy, vz, m) {x, y, z, (vx) * DAYS, (vy) * DAYS, (vz) * DAYS, (m) * SOLAR}
static struct body bodies[5] = {
  BODY(0, 0, 0, 0, 0, 0, 1),
  BODY(4.84143144246472090, -1.16032004402742839, -0.103622044471123109,
       0.00166007664274403694, 0.00769901118419740425, -0.0000690460016972063023,
       0.000954791938424326609),
  BODY(8.34336671824457987, 4.12479856412430479, -0.403523417114321381,
       -0.00276742510726411850, 0.00499852801234917238, 0.0000230417297573763929,
       0.000285885980666130812),
  BODY(12.8943695621391310, -15.1111514016986312, -0.223307578892655734,
       0.00296460137564761618, 0.00237847173959480950, -0.0000296589568540237556,
       0.0000436624404335156298),
  BODY(15.3796971148509165, -25.9193146099879641, 0.179258772950371181,
       0.00268067772490389322, 0.00162824170038242295, -0.0000951592254519715870,
       0.0000515138902046611451)};
static void advance(double dt) {
  for (int i = 0; i < 5; i++)
    for (int j = i + 1; j < 5; j++) {
      struct body *a = &bodies[i], *b = &bodies[j];
      double dx = a->x - b->x, dy = a->y - b->y, dz = a->z - b->z;
      double d2 = dx * dx + dy * dy + dz * dz, force = dt / (d2 * sqrt(d2));
      double fa = b->mass * force, fb = a->mass * force;
      a->vx -= dx * fa; a->vy -= dy * fa; a->vz -= dz * fa;
      b->vx += dx * fb; b->vy += dy * fb; b->vz += dz * fb;
    }
  for (int i = 0; i < 5; i++) {
    struct body *b = &bodies[i];
    b->x += dt * b->vx; b->y += dt * b->vy; b->z += dt * b->vz;
  }
}
static double energy(void) {
  double e = 0;
  for (int i = 0; i < 5; i++) {
    struct body *a = &bodies[i];
    e += 0.5 * a->mass * (a->vx * a->vx + a->vy * a->vy + a->vz * a->vz);
    for (int j = i + 1; j < 5; j++) {
      struct body *b = &bodies[j];
      double dx = a->x - b->x, dy = a->y - b->y, dz = a->z - b->z;
      e -= a->mass * b->mass / sqrt(dx * dx + dy * dy + dz * dz);
    }
  }
  return e;
}
int main(void) {
  for (int i = 0; i < 5; i++) {
    double share = bodies[i].mass / SOLAR;
    bodies[0].vx -= bodies[i].vx * share;
    bodies[0].vy -= bodies[i].vy * share;
    bodies[0].vz -= bodies[i].vz * share;
  }
  printf("%.9f\n", energy());
  for (int i = 0; i < 1500000; i++) advance(0.01);
  printf("%.9f\n", energy());
  return 0;
}
