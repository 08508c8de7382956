@echo off
rem Backs the database up. See --help. The same as backup.sh, for Windows 10 and newer.
setlocal
set "LIB=%~dp0lib-deploy.bat"
call "%LIB%" :defaults
call "%~dp0lib-operator.bat" :defaults
set "TIMEOUT=3600"
set "OUT="
set "COMPOSE=no"

:arguments
if "%~1"=="" goto checked
if "%~1"=="--help" goto help
if "%~1"=="-h" goto help
if "%~1"=="--compose" goto take_compose
if "%~1"=="--out" goto take_out
call "%~dp0lib-operator.bat" :option %1 %2
if not "%RC%"=="0" exit /b 2
shift
if "%USED%"=="2" shift
goto arguments

:take_compose
set "COMPOSE=yes"
shift
goto arguments

:take_out
call "%LIB%" :value %1 %2
if not "%RC%"=="0" exit /b 2
set "OUT=%~2"
shift
shift
goto arguments

:help
echo Usage: scripts\backup.bat [OPTION]
echo.
echo Writes one file with the database (pg_dump's custom format), the roles without their passwords, and a manifest with
echo checksums: `bizosaas backup`, run in the cluster or with compose. The services go on meanwhile. Secrets are not in it.
echo.
echo   --out FILE         default backups/bizosaas-^<UTC time^>.tar; an existing file is never overwritten
echo   --compose          back up the compose stack instead of the cluster
echo   --image IMAGE      the operator's image (default: the one beside the services' images)
echo   --files-image IMAGE  an image with a shell (default pgvector/pgvector:pg17)
echo   --admin-user NAME  the database's administrator (default postgres)
echo   --namespace NAME   default bizosaas-dev
echo   --release NAME     default bizosaas
echo   --context NAME     context of kubectl
echo   --timeout SECONDS  longest wait (default 3600)
echo   --dry-run          print what would be done
echo   --yes              ask nothing
echo   --help
exit /b 0

:checked
call :main
if errorlevel 1 goto ended_badly
call "%LIB%" :clean_up
exit /b 0

:ended_badly
call "%LIB%" :clean_up
exit /b 1

:main
if "%OUT%"=="" call :name_file
if exist "%OUT%" echo error: %OUT% exists 1>&2
if exist "%OUT%" exit /b 1
for %%F in ("%OUT%") do set "FOLDER=%%~dpF"
if "%DRY_RUN%"=="yes" goto run
if not exist "%FOLDER%" mkdir "%FOLDER%"

:run
if "%COMPOSE%"=="yes" goto from_compose
call "%LIB%" :need_cluster
if errorlevel 1 exit /b 1
call "%~dp0lib-operator.bat" :find_image
if errorlevel 1 exit /b 1
call "%~dp0lib-operator.bat" :find_settings
if errorlevel 1 exit /b 1
call "%~dp0lib-operator.bat" :need_admin
if errorlevel 1 exit /b 1
call "%~dp0lib-operator.bat" :start take "backup, --out, /backup/backup.tar"
if errorlevel 1 exit /b 1
if "%DRY_RUN%"=="yes" exit /b 0
call "%~dp0lib-operator.bat" :wait Running Succeeded
if errorlevel 1 goto failed
call "%~dp0lib-operator.bat" :logs
call "%~dp0lib-operator.bat" :take "%OUT%"
if errorlevel 1 exit /b 1
goto done

:from_compose
call "%LIB%" :need docker https://docs.docker.com/engine/install/
if errorlevel 1 exit /b 1
call "%LIB%" :make_scratch
call "%LIB%" :change docker compose --file "%REPO%\compose.yaml" run --rm --no-deps --no-TTY --env TMPDIR=/backup --volume "%SCRATCH%:/backup" migrate backup --out /backup/backup.tar
if errorlevel 1 exit /b 1
if "%DRY_RUN%"=="yes" exit /b 0
move "%SCRATCH%\backup.tar" "%OUT%" >nul

:done
echo %OUT%
echo scripts\restore.bat --in "%OUT%" --verify proves that it can be restored
exit /b 0

:failed
call "%~dp0lib-operator.bat" :logs 1>&2
echo error: the backup failed 1>&2
exit /b 1

:name_file
set "STAMP=%RANDOM%"
for /f %%T in ('powershell -NoProfile -Command "(Get-Date).ToUniversalTime().ToString('yyyyMMddTHHmmssZ')"') do set "STAMP=%%T"
set "OUT=%REPO%\backups\bizosaas-%STAMP%.tar"
exit /b 0
