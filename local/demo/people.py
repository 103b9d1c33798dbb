"""The people in the demo: users who sign in, and patrons on the rosters."""

from __future__ import annotations

from dataclasses import dataclass

DOMAIN = "shipcaptaincrew.example"


@dataclass(frozen=True, slots=True)
class DemoUser:
    """Someone who can sign in: e-mail, name and their one Cognito group."""

    email: str
    name: str
    group: str
    can: str


USERS = (
    DemoUser(f"admin@{DOMAIN}", "Marina Castellanos", "admins", "logs payments"),
    DemoUser(f"auditor@{DOMAIN}", "Ruth Abernathy", "auditors", "reads everything, writes nothing"),
    DemoUser(f"crew@{DOMAIN}", "Tomás Reyes", "crew", "sees events but no payments"),
)

# E-mail address (lower case) and name. The first three are on every larger roster.
PATRONS = (
    ("jane.doe@example.com", "Jane Doe"),
    ("o'brien+dock@example.com", "Séamus O'Brien"),
    ("lee@example.com", "李小龍"),
    ("bjork.s@example.org", "Björk Sigurðardóttir"),
    ("zoe.muller@example.net", "Zoë Müller"),
    ("nguyen.thi.huong@example.com", "Nguyễn Thị Hương"),
    ("jose.nunez@example.com", "José Núñez Peña"),
    ("agnieszka.w@example.org", "Agnieszka Wójcik-Żurawska"),
    ("a.dubois@example.net", "Amélie Dubois"),
    ("kwame.mensah@example.com", "Kwame Mensah"),
    ("priya.raman@example.com", "Priya Raman"),
    ("yuki.tanaka@example.org", "田中 由紀"),
    ("omar.haddad@example.com", "Omar Haddad"),
    ("f.alsayed@example.net", "فاطمة السيد"),
    ("noa.levi@example.com", "נועה לוי"),
    ("dimitris.p@example.org", "Δημήτρης Παπαδόπουλος"),
    ("olena.kovalenko@example.com", "Олена Коваленко"),
    ("lars.oyvind@example.net", "Lars Øyvind Håkonsen"),
    ("ines.goncalves@example.com", "Inês Gonçalves"),
    ("chidi.okonkwo@example.com", "Chidi Okonkwo"),
    ("sinead.nichonaill@example.org", "Sinéad Ní Chonaill"),
    ("hannah.schmidt-weiss@example.net", "Hannah Schmidt-Weiß"),
    ("mateo.garcia@example.com", "Mateo García López"),
    ("anh.le@example.com", "Lê Anh"),
    ("x@example.com", "Xu"),
    (
        "wolfeschlegelstein@example.com",
        "Maximilian Alexander von Wolfeschlegelsteinhausen-Bergerdorff",
    ),
    ("robert.tables@example.com", 'Robert "Bobby" Tables'),
    ("tom.and.jo@example.com", "Tom & Jo Fletcher"),
    ("grace.hopper@example.org", "Grace Hopper"),
    ("samuel.adeyemi@example.com", "Samuel Adéyẹmí"),
    ("linnea.astrom@example.net", "Linnéa Åström"),
    ("tiago.sa@example.com", "Tiago de Sá"),
    ("minjun.kim@example.org", "김민준"),
    ("eleanor.whitfield@example.com", "Eleanor Whitfield"),
    ("marcus.bell@example.com", "Marcus Bell"),
    ("daniela.ionescu@example.net", "Daniela Ionescu-Țepeș"),
)
